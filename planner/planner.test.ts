import { expect, test } from 'bun:test'
import { Manifest } from '@oriel/protocol/manifest'
import type { NodeStatus } from '@oriel/protocol/node-status'
import * as v from 'valibot'
import { Cluster } from './cluster.ts'
import { Planner } from './planner.ts'
import { MemoryPlanPort } from './testing/memory-plan-port.ts'

const EVERY = 300_000
const manifest = (name: string): Manifest =>
  v.parse(Manifest, {
    name,
    version: '1',
    engine: 'tensor',
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1_000 }],
    limits: { timeoutMs: 1_000, maxBatch: 0, concurrency: 1 },
  })
const node = (name: string): NodeStatus => ({
  node: name,
  pid: 1,
  startedAt: 0,
  lastHeartbeat: 0,
  mode: 'serving',
  slots: 4,
  busy: 0,
  hosts: [],
  models: [],
})

function setUp() {
  const cluster = new Cluster()
  cluster.putVersion('iris.1', manifest('iris'))
  cluster.putNode('a', node('a'), 0)
  const port = new MemoryPlanPort({ partitions: 4, models: {} })
  const begin = (term: number) =>
    Planner.begin({ store: port, cluster, term, everyMs: EVERY, halfLifeMs: 60_000, log: () => {} }, 0)
  return { cluster, port, begin }
}

test('it plans when what it sees has been the same twice', async () => {
  const { port, begin } = setUp()
  const planner = await begin(7)
  await planner.tick(1_000)
  expect(port.entry.plan).toEqual({ partitions: 4, models: {}, term: 7 })
  await planner.tick(2_000)
  expect(port.entry.plan).toMatchObject({ models: { iris: 0 }, homes: [['a'], ['a'], ['a'], []], term: 7 })
})

test('while nothing changes it writes nothing', async () => {
  const { cluster, port, begin } = setUp()
  const planner = await begin(7)
  for (let second = 1; second < 600; second++) {
    cluster.putNode('a', node('a'), second * 1_000)
    await planner.tick(second * 1_000)
  }
  expect(port.written).toHaveLength(2) // under its own term, and its plan
})

test('a new model and a node that is gone are planned for', async () => {
  const { cluster, port, begin } = setUp()
  const planner = await begin(7)
  for (const at of [1_000, 2_000]) await planner.tick(at)
  cluster.putVersion('fox.1', manifest('fox'))
  cluster.putNode('b', node('b'), 3_000)
  for (const at of [3_000, 4_000]) await planner.tick(at)
  expect(Object.keys(port.entry.plan.models).sort()).toEqual(['fox', 'iris'])
  expect(new Set(port.entry.plan.homes?.flat())).toEqual(new Set(['a', 'b']))
  cluster.disconnected('a', 5_000)
  for (const at of [6_000, 7_000]) await planner.tick(at)
  expect(new Set(port.entry.plan.homes?.flat())).toEqual(new Set(['b']))
})

test('an earlier one that did not notice is refused, and stops', async () => {
  const { cluster, port, begin } = setUp()
  const early = await begin(7)
  await early.tick(1_000)
  const late = await begin(9)
  // It wakes up with all that it had seen, and would write its plan now.
  expect(await early.tick(2_000)).toBe(false)
  expect(port.entry.plan).toEqual({ partitions: 4, models: {}, term: 9 })
  cluster.putNode('b', node('b'), 2_000)
  for (const at of [3_000, 4_000]) expect(await late.tick(at)).toBe(true)
  expect(port.entry.plan.term).toBe(9)
})

test('what was measured goes to the next one', async () => {
  const { cluster, port, begin } = setUp()
  for (let index = 0; index < 30; index++) cluster.putVersion(`m${index}.1`, manifest(`m${index}`))
  const first = await begin(7)
  first.asked({ iris: 10_000 }, 0)
  await first.end(1_000)
  const next = await begin(9)
  for (const at of [2_000, 3_000]) await next.tick(at)
  // It has so much to do that it is alone.
  expect(port.entry.plan.hot).toEqual([port.entry.plan.models.iris ?? -1])
})

test('a plan that an operator has changed is seen, and stays', async () => {
  const { port, begin } = setUp()
  const planner = await begin(7)
  for (const at of [1_000, 2_000]) await planner.tick(at)
  await port.write({ ...port.entry.plan, models: { iris: 2 } }, port.entry.revision)
  expect(await planner.tick(5_000)).toBe(false)
  const again = await begin(7)
  for (const at of [6_000, 7_000]) await again.tick(at)
  expect(port.entry.plan.models).toEqual({ iris: 2 })
})
