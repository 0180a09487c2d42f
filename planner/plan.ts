import type { Placement } from '@oriel/protocol/placement'
import type { NodeCapacity, PartitionLoad } from './homes.ts'
import { mapModels } from './map-models.ts'
import { mapNodes } from './map-nodes.ts'
import type { ModelLoad } from './model-load.ts'
import type { Shelf } from './shelf.ts'

/** What there is to plan for, as it was measured. */
export interface World {
  readonly partitions: number
  readonly models: readonly ModelLoad[]
  readonly nodes: readonly NodeCapacity[]
}

/**
 * The map of models to partitions and of partitions to nodes. The same world and the same previous plan always give
 * the same plan; where nothing has to be another, it is the previous one itself.
 */
export function plan({ partitions, models, nodes }: World, previous?: Placement): Placement {
  const sorted = models.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const { shelf, loads, hot } = mapModels(sorted, partitions, previous)
  const next: Placement = {
    partitions,
    models: Object.fromEntries(sorted.map(({ name }) => [name, shelf.partitionOf(name) ?? 0])),
    homes: withoutHome(
      mapNodes(partitionLoads(shelf, loads, hot, models.length), nodes, previous?.homes ?? []),
      partitions,
    ),
    loads: [...loads],
    hot: [...hot],
  }
  return previous && isSame(next, previous) ? previous : next
}

/** So much of an even part an empty partition weighs: they too are spread over the nodes. */
const EMPTY = 0.01

/** A partition has as much to do as its part of the requests, and as much to keep as its part of the models. */
function partitionLoads(
  shelf: Shelf,
  loads: readonly number[],
  hot: readonly number[],
  models: number,
): PartitionLoad[] {
  return shelf.partitions.map((partition) => ({
    load: loads[partition] ?? 0,
    hot: hot.includes(partition),
    count: Math.max(models > 0 ? shelf.count(partition) / models : 0, EMPTY / shelf.partitions.length),
    models: new Map([...shelf.members(partition).values()].map(({ name, bytes }) => [name, bytes])),
  }))
}

/** In the last partition, where models are that nobody has planned for, all nodes are alike. */
const withoutHome = (homes: string[][], partitions: number): string[][] =>
  Array.from({ length: partitions }, (_, partition) => (partition < partitions - 1 ? (homes[partition] ?? []) : []))

function isSame({ term: _, ...next }: Placement, { term: __, ...previous }: Placement): boolean {
  return JSON.stringify(inOrder(next)) === JSON.stringify(inOrder(previous))
}

const inOrder = ({ partitions, models, homes, loads, hot }: Placement) => [
  partitions,
  Object.entries(models).sort(([a], [b]) => (a < b ? -1 : 1)),
  homes,
  loads,
  hot,
]
