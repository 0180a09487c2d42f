import { expect, test } from 'bun:test'
import type { Placement } from '@oriel/protocol/placement'
import fc from 'fast-check'
import { HIGH, SETTLED } from './bounds.ts'
import type { ModelLoad } from './model-load.ts'
import { plan, type World } from './plan.ts'
import { members, models, moves, node, nodes, total, world } from './testing/worlds.ts'

/** Volumes as they are measured another time: each off by up to 5 %. */
const withNoise = (world: World, noise: readonly number[]): World => ({
  ...world,
  models: world.models.map((model, index) => ({
    ...model,
    volume: model.volume * (1 + (noise[index % noise.length] ?? 0)),
  })),
})
const noise = fc.array(fc.double({ min: -0.05, max: 0.05, noNaN: true }), { minLength: 1, maxLength: 60 })

function expectBalanced(world: World, placement: Placement): void {
  const all = members(world, placement)
  const shared = all.filter((_, partition) => !placement.hot?.includes(partition))
  const largest = Math.max(0, ...shared.flat().map(({ volume }) => volume))
  const most = Math.ceil((shared.flat().length / shared.length) * HIGH)
  const should = total(shared.flat()) / shared.length
  for (const [partition, loads] of all.entries()) {
    if (placement.hot?.includes(partition)) continue
    expect(total(loads)).toBeLessThanOrEqual(Math.max(HIGH * should, should + largest) * (1 + 1e-9))
    expect(loads.length).toBeLessThanOrEqual(most)
  }
  // Nobody shares with a hot model, and it has as much to do as a fair share would be, or nearly.
  for (const partition of placement.hot ?? []) expect(all[partition]).toHaveLength(1)
}

test('every model is in one partition that there is, and never in the last', () => {
  fc.assert(
    fc.property(world, (world) => {
      const { models, partitions } = plan(world)
      expect(Object.keys(models).sort()).toEqual(world.models.map(({ name }) => name).sort())
      for (const partition of Object.values(models)) {
        expect(partition).toBeGreaterThanOrEqual(0)
        expect(partition).toBeLessThan(partitions - 1)
      }
    }),
  )
})

test('partitions are balanced by count and by volume, up to one model', () => {
  fc.assert(fc.property(world, (world) => expectBalanced(world, plan(world))))
})

test('they are again after volumes have become quite others', () => {
  fc.assert(
    fc.property(world, models(60, 60), (world, others) => {
      const before = plan(world)
      const later = {
        ...world,
        models: world.models.map((model, index) => ({ ...model, volume: others[index]?.volume ?? 0 })),
      }
      const after = plan(later, before)
      // What did not drift stays; all else is balanced anew.
      if (after !== before) expectBalanced(later, after)
    }),
  )
})

test('the order in which models and nodes are named changes nothing', () => {
  fc.assert(
    fc.property(world, (world) => {
      const turned = { ...world, models: world.models.toReversed(), nodes: world.nodes.toReversed() }
      expect(plan(turned)).toEqual(plan(world))
    }),
  )
})

test('the same world again is the same plan, itself', () => {
  fc.assert(
    fc.property(world, (world) => {
      const first = plan(world)
      expect(plan(world, first)).toBe(first)
    }),
  )
})

test('noise moves nothing', () => {
  fc.assert(
    fc.property(world, noise, (world, noise) => {
      const first = plan(world)
      expect(plan(withNoise(world, noise), first)).toBe(first)
    }),
  )
})

test('a new model moves no other, unless its partition has too many', () => {
  fc.assert(
    fc.property(world, (world) => {
      const first = plan(world)
      const fresh: ModelLoad = { name: 'new', volume: 0, bytes: 5e8 }
      const next = plan({ ...world, models: [...world.models, fresh] }, first)
      expect(next.models.new).toBeLessThan(world.partitions - 1)
      expect(moves(first, next)).toBe(0)
    }),
  )
})

test('a model that is gone moves no other, while volumes stay in bounds', () => {
  fc.assert(
    fc.property(world, (world) => {
      const idle = { name: 'idle', volume: 0, bytes: 1e6 }
      const first = plan({ ...world, models: [...world.models, idle] })
      const next = plan(world, first)
      expect(next.models.idle).toBeUndefined()
      expect(moves(first, next)).toBeLessThanOrEqual(1)
    }),
  )
})

test('nodes that come and go move no model', () => {
  fc.assert(
    fc.property(world, nodes(1, 8), (world, others) => {
      const first = plan(world)
      expect(plan({ ...world, nodes: others }, first).models).toEqual(first.models)
    }),
  )
})

test('every node is at home somewhere, and every partition with models has a home', () => {
  fc.assert(
    fc.property(world, (world) => {
      const { homes = [], partitions } = plan(world)
      expect(new Set(homes.flat())).toEqual(new Set(world.nodes.map(({ name }) => name)))
      for (const home of homes.slice(0, partitions - 1)) expect(home.length).toBeGreaterThan(0)
      expect(homes.at(-1)).toEqual([])
      for (const home of homes) expect(new Set(home).size).toBe(home.length)
    }),
  )
})

/** Homes as pairs of a partition and a node. */
const pairs = ({ homes = [] }: Placement) =>
  homes.flatMap((names, partition) => names.map((name) => `${partition} ${name}`))

test('when a node leaves, little more changes hands than what it had', () => {
  fc.assert(
    fc.property(
      world.filter(({ nodes }) => nodes.length > 1),
      (world) => {
        const first = plan(world)
        const [gone, ...left] = world.nodes
        const next = plan({ ...world, nodes: left }, first)
        const before = new Set(pairs(first))
        const had = pairs(first).filter((pair) => pair.endsWith(` ${gone?.name}`))
        const loads = pairs(next).filter((pair) => !before.has(pair))
        expect(next.homes?.flat()).not.toContain(gone?.name)
        // Its homes, one node's worth to balance the rest, and where there are more nodes than partitions, theirs.
        const share = Math.ceil(pairs(next).length / left.length)
        const spare = Math.max(0, left.length - (world.partitions - 1))
        expect(loads.length).toBeLessThanOrEqual(had.length + share + spare)
      },
    ),
    { numRuns: 300 },
  )
})

test('a node that comes takes over its share and no more', () => {
  const load = Array.from({ length: 160 }, (_, index) => ({ name: `m${index}`, volume: 1, bytes: 1e8 }))
  const four = ['a', 'b', 'c', 'd'].map(node)
  const first = plan({ partitions: 17, models: load, nodes: four })
  const next = plan({ partitions: 17, models: load, nodes: [...four, node('e')] }, first)
  const changed = (next.homes ?? []).filter((home, partition) => home.join() !== first.homes?.[partition]?.join())
  expect(changed.every((home) => home.join() === 'e')).toBe(true)
  expect(changed).toHaveLength(3) // 16 partitions over 5 nodes
})

test('a hot model has a partition of its own, and as many nodes as it needs', () => {
  const cold = Array.from({ length: 70 }, (_, index) => ({ name: `m${index}`, volume: 1, bytes: 1e8 }))
  const hot = { name: 'hot', volume: 70, bytes: 1e9 }
  const world = { partitions: 8, models: [...cold, hot], nodes: ['a', 'b', 'c', 'd'].map(node) }
  const { models, homes } = plan(world)
  expect(Object.entries(models).filter(([, partition]) => partition === models.hot)).toEqual([
    ['hot', models.hot ?? -1],
  ])
  expect(homes?.[models.hot ?? -1]?.length).toBeGreaterThanOrEqual(2)
})

test('a model that became hot puts the fewest bytes out', () => {
  const load = (volume: number) => [
    ...Array.from({ length: 30 }, (_, index) => ({ name: `m${index}`, volume: 1, bytes: index < 15 ? 2e9 : 1e7 })),
    { name: 'hot', volume, bytes: 1e9 },
  ]
  const world = (volume: number): World => ({ partitions: 4, models: load(volume), nodes: [node('a')] })
  const first = plan(world(1))
  const next = plan(world(100), first)
  const beside = Object.entries(next.models).filter(([, partition]) => partition === next.models.hot)
  expect(beside).toHaveLength(1)
  expect(moves(first, next)).toBeLessThan(20)
})

test('a home is where its models are in memory already', () => {
  const load = Array.from({ length: 12 }, (_, index) => ({ name: `m${index}`, volume: 1, bytes: 1e9 }))
  const alone = plan({ partitions: 5, models: load, nodes: [node('a')] })
  const at = (partition: number) => Object.keys(alone.models).filter((name) => alone.models[name] === partition)
  const resident = { ...node('b'), residents: new Set([...at(1), ...at(3)]) }
  const next = plan({ partitions: 5, models: load, nodes: [node('a'), resident] }, alone)
  expect(next.homes).toEqual([['a'], ['b'], ['a'], ['b'], []])
})

test('a node that cannot run a model is not at home with it; where none can run all, everybody is alike', () => {
  const load = [
    { name: 'x', volume: 1, bytes: 1 },
    { name: 'y', volume: 1, bytes: 1 },
  ]
  const a = { ...node('a'), lacks: new Set(['x']) }
  const b = { ...node('b'), lacks: new Set(['y']) }
  const apart = plan({ partitions: 3, models: load, nodes: [a, b] })
  expect(apart.homes?.[apart.models.x ?? -1]).toEqual(['b'])
  expect(apart.homes?.[apart.models.y ?? -1]).toEqual(['a'])
  expect(plan({ partitions: 2, models: load, nodes: [a, b] }).homes).toEqual([[], []])
})

test('after a balancing, partitions are settled and not only in bounds, when models are small', () => {
  const zipf = Array.from({ length: 5_000 }, (_, index) => ({
    name: `m${index}`,
    volume: 1 / (index + 20),
    bytes: 1e8,
  }))
  const first = plan({ partitions: 33, models: zipf, nodes: [node('a')] })
  const turned = zipf.map((model, index) => ({ ...model, volume: zipf[(index * 7 + 13) % zipf.length]?.volume ?? 0 }))
  const world = { partitions: 33, models: turned, nodes: [node('a')] }
  const next = plan(world, first)
  const volumes = members(world, next).map(total)
  expect(Math.max(...volumes)).toBeLessThan((total(turned) / 32) * (SETTLED + 0.16))
  expect(moves(first, next)).toBeLessThan(2_500)
})
