import { STAYS_HOT } from './bounds.ts'
import { byVolume, type ModelLoad } from './model-load.ts'
import { type Shelf, sum } from './shelf.ts'

/**
 * The models that get a partition of their own: no other could share one with them and be balanced. Those are, from
 * the largest down, the ones that have as much as each partition would get of what is left.
 */
export function hotModels(
  models: readonly ModelLoad[],
  partitions: number,
  wasHot: (model: ModelLoad) => boolean,
): ModelLoad[] {
  const largest = models.toSorted(byVolume).slice(0, partitions)
  const hot: ModelLoad[] = []
  let rest = sum(models.map(({ volume }) => volume))
  for (const model of largest) {
    const left = partitions - hot.length
    const isLast = left === 1 && hot.length + 1 < models.length // somebody else must go somewhere
    const enough = (rest / left) * (wasHot(model) ? STAYS_HOT : 1)
    if (isLast || model.volume <= 0 || model.volume < enough) continue
    hot.push(model)
    rest -= model.volume
  }
  return hot
}

/**
 * Gives each hot model its partition, where it costs the fewest bytes of moves.
 * @returns whom that puts out
 */
export function separate(hot: readonly ModelLoad[], shelf: Shelf): { owned: Set<number>; displaced: ModelLoad[] } {
  const names = new Set(hot.map(({ name }) => name))
  const owned = new Set<number>()
  const displaced = new Map<string, ModelLoad>()
  for (const model of hot) {
    const at = shelf.partitionOf(model.name)
    let best: { partition: number; cost: number } | undefined
    for (const partition of shelf.partitions) {
      if (owned.has(partition)) continue
      const others = [...shelf.members(partition).values()].filter(({ name }) => !names.has(name))
      const cost = sum(others.map(({ bytes }) => bytes)) + (partition === at ? 0 : model.bytes)
      if (!best || cost < best.cost) best = { partition, cost }
    }
    if (!best) throw new Error('there are more hot models than partitions')
    for (const other of [...shelf.members(best.partition).values()]) {
      if (other.name === model.name) continue
      shelf.take(other)
      if (!names.has(other.name)) displaced.set(other.name, other)
    }
    shelf.put(model, best.partition)
    owned.add(best.partition)
  }
  return { owned, displaced: [...displaced.values()] }
}
