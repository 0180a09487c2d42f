import type { Placement } from '@oriel/protocol/placement'
import { SharedPartitions } from './balance-models.ts'
import { DRIFT } from './bounds.ts'
import { hotModels, separate } from './hot-models.ts'
import type { ModelLoad } from './model-load.ts'
import { Shelf } from './shelf.ts'

/** How many partitions models are mapped to: the last belongs to those that are not. */
export const mappedPartitions = (partitions: number): number => Math.max(1, partitions - 1)

export interface ModelMap {
  readonly shelf: Shelf
  /** Shares of the volume when models were last moved, by partition. */
  readonly loads: readonly number[]
  /** Partitions of one model alone. */
  readonly hot: readonly number[]
}

/**
 * Which model is in which partition. Everything stays where it is unless shares have drifted since the last plan
 * that moved something, or one partition has too many models.
 */
export function mapModels(models: readonly ModelLoad[], partitions: number, previous: Placement | undefined): ModelMap {
  const shelf = new Shelf(mappedPartitions(partitions))
  const homeless: ModelLoad[] = []
  const mapped = shelf.partitions.length
  for (const model of models) {
    const partition = previous && Object.hasOwn(previous.models, model.name) ? previous.models[model.name] : undefined
    if (partition !== undefined && partition < mapped) shelf.put(model, partition)
    else homeless.push(model)
  }
  const known = previous?.partitions === partitions ? previous.loads : undefined
  const drifted = known === undefined || hasDrifted(shelf.shares(), known)
  // Without a drift nobody becomes hot or ceases to be.
  const wasHot = ({ name }: ModelLoad) => previous?.hot?.includes(shelf.partitionOf(name) ?? -1) ?? false
  const hot = drifted ? hotModels(models, mapped, wasHot) : models.filter(wasHot)
  const { owned, displaced } = separate(hot, shelf)
  const free = shelf.partitions.filter((partition) => !owned.has(partition))
  if (free.length > 0) {
    const names = new Set(hot.map(({ name }) => name))
    const others = models.filter(({ name }) => !names.has(name))
    const shared = new SharedPartitions(shelf, free, others)
    shared.place([...displaced, ...homeless.filter(({ name }) => !names.has(name))])
    shared.balanceCounts()
    if (drifted) shared.balanceVolumes()
  }
  return { shelf, loads: drifted ? shelf.shares() : known, hot: [...owned].sort((a, b) => a - b) }
}

/** Whether some partition's share is another than it was; a partition with little to do need not be exact. */
function hasDrifted(shares: readonly number[], known: readonly number[]): boolean {
  const fair = 1 / shares.length
  return shares.some((share, partition) => {
    const before = known[partition] ?? 0
    return Math.abs(share - before) > DRIFT * Math.max(before, fair / 2)
  })
}
