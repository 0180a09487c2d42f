import type { Placement } from '@oriel/protocol/placement'
import fc from 'fast-check'
import type { NodeCapacity } from '../homes.ts'
import type { ModelLoad } from '../model-load.ts'
import type { World } from '../plan.ts'

const volume = fc.oneof(fc.constant(0), fc.double({ min: 1e-4, max: 1, noNaN: true }), fc.integer({ min: 1, max: 500 }))
const bytes = fc.integer({ min: 1, max: 2_000 }).map((megabytes) => megabytes * 1e6)

export const models = (min: number, max: number): fc.Arbitrary<ModelLoad[]> =>
  fc
    .array(fc.record({ volume, bytes }), { minLength: min, maxLength: max })
    .map((loads) => loads.map((load, index) => ({ name: `m${index}`, ...load })))

export const node = (name: string): NodeCapacity => ({ name, capacity: 1, residents: new Set(), lacks: new Set() })

export const nodes = (min: number, max: number): fc.Arbitrary<NodeCapacity[]> =>
  fc
    .integer({ min, max })
    .map((count) => Array.from({ length: count }, (_, index) => node(`n${String(index).padStart(2, '0')}`)))

export const world: fc.Arbitrary<World> = fc.record({
  partitions: fc.integer({ min: 2, max: 12 }),
  models: models(1, 60),
  nodes: nodes(1, 8),
})

/** The models of each partition but the last. */
export function members({ models }: World, { models: map, partitions }: Placement): ModelLoad[][] {
  return Array.from({ length: partitions - 1 }, (_, partition) => models.filter(({ name }) => map[name] === partition))
}

export const total = (loads: readonly ModelLoad[]): number => loads.reduce((sum, { volume }) => sum + volume, 0)

/** How many models are in another partition than before; a model that was in none does not count. */
export const moves = (before: Placement, after: Placement): number =>
  Object.entries(after.models).filter(([name, at]) => (before.models[name] ?? at) !== at).length
