import { expect, test } from 'bun:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { prepareBroker } from '@oriel/dev/streams'
import { homesOf, Placement, partitionOf } from '@oriel/protocol/placement'
import { PULL_GROUP } from '@oriel/protocol/streams'
import { JOBS, laneConsumer, PLACEMENT, PLAN } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { type Received, typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

// Jobs go to the nodes that are at home, and to others when those are busy or gone.

const stack = useStack({ nodes: 2 })
const Stored = v.pipe(v.string(), v.parseJson(), Placement)
const flower = { input: { features: [5.1, 3.5, 1.4, 0.2] } }

async function plan(): Promise<Placement> {
  const nc = await stack.stack.nats('admin')
  try {
    return v.parse(Stored, (await (await new Kvm(nc).open(PLACEMENT)).get(PLAN))?.string())
  } finally {
    await nc.close()
  }
}

async function planWith(holds: (plan: Placement) => boolean): Promise<Placement> {
  let found = await plan()
  await stack.until(async () => {
    found = await plan()
    return holds(found)
  })
  return found
}

const allHomes = ({ homes = [] }: Placement) => new Set(homes.flat())
const nodeOf = (events: readonly Received[]) => events.find(({ type }) => type === 'started')?.data.node

/** Sends requests one after the other, or several at a time, until it is told to stop; all must be completed. */
async function load(model: string, request: object, clients: number) {
  const user = await stack.client('alice')
  const all: Promise<Received[]>[] = []
  let stopped = false
  const workers = Array.from({ length: clients }, async () => {
    while (!stopped) {
      const { requestID } = await user.submit(model, request)
      const events = user.follow(requestID)
      all.push(events)
      await events
    }
  })
  return {
    sent: () => all.length,
    async end(): Promise<Received[][]> {
      stopped = true
      await Promise.all(workers)
      return Promise.all(all)
    },
  }
}

test('while its home has time, a model is asked for only there', async () => {
  const found = await planWith((plan) => allHomes(plan).size === 2)
  const alice = await stack.client('alice')
  const [home] = homesOf(found, partitionOf(found, 'iris'))
  // What a node asked for before it knew the plan counts for a few seconds more.
  let inARow = 0
  await stack.until(async () => {
    const { requestID } = await alice.submit('iris', flower)
    inARow = nodeOf(await alice.follow(requestID)) === home ? inARow + 1 : 0
    return inARow === 20
  })
})

test('what a home has no slots for is taken by the other node', async () => {
  const found = await planWith((plan) => allHomes(plan).size === 2)
  const [home] = homesOf(found, partitionOf(found, 'storyteller'))
  const alice = await stack.client('alice')
  const story = { input: 'Once', parameters: { maxTokens: 20, tokensPerSecond: 10 } }
  // More than the 32 slots of one node, of which one is kept for the other lane.
  const sent = await Promise.all(Array.from({ length: 48 }, () => alice.submit('storyteller', story)))
  const all = await Promise.all(sent.map(({ requestID }) => alice.follow(requestID)))
  expect(all.map((events) => typesOf(events).at(-1))).toEqual(sent.map(() => 'completed'))
  const nodes = all.map(nodeOf)
  expect(new Set(nodes).size).toBe(2)
  expect(nodes.filter((node) => node === home).length).toBeGreaterThanOrEqual(31)
})

test('nodes come, leave and die under load, homes follow, and no request is lost', async () => {
  const running = await load('iris', flower, 4)
  const added = await stack.stack.addNode()
  await planWith((plan) => allHomes(plan).has(added))
  const [home = ''] = homesOf(await plan(), partitionOf(await plan(), 'iris'))
  stack.stack.kill(home)
  // The stack brings it back, and until the plan knows of that others take its jobs.
  const atKill = running.sent()
  await stack.until(async () => running.sent() > atKill + 20)
  await stack.stack.ready()
  await stack.stack.removeNode(added)
  await planWith((plan) => !allHomes(plan).has(added))
  const atLeave = running.sent()
  await stack.until(async () => running.sent() > atLeave + 20)
  const all = await running.end()
  expect(all.filter((events) => typesOf(events).at(-1) !== 'completed')).toEqual([])
}, 120_000)

test('jobs that wait under an old plan are done though their model has moved', async () => {
  const found = await planWith((plan) => allHomes(plan).size === 2)
  const nodes = [...allHomes(found)]
  await Promise.all(nodes.map((name) => stack.stack.stopPart(name)))
  const alice = await stack.client('alice')
  const before = await Promise.all(Array.from({ length: 5 }, () => alice.submit('sentiment', { input: 'I like it' })))
  const nc = await stack.stack.nats('admin')
  const bucket = await new Kvm(nc).open(PLACEMENT)
  const moved = { ...(await plan()), models: { ...found.models, sentiment: (partitionOf(found, 'sentiment') + 1) % 7 } }
  await bucket.put(PLAN, JSON.stringify(moved))
  await Promise.all(nodes.map((name) => stack.stack.startPart(name)))
  const after = await Promise.all(Array.from({ length: 5 }, () => alice.submit('sentiment', { input: 'I like it' })))
  const all = await Promise.all([...before, ...after].map(({ requestID }) => alice.follow(requestID)))
  expect(all.map((events) => typesOf(events).at(-1))).toEqual(all.map(() => 'completed'))
  await nc.close()
}, 120_000)

test('consumers of before are made to know who is asked first, and keep what they have', async () => {
  const nc = await stack.stack.nats('admin')
  const manager = await jetstreamManager(nc)
  const consumer = laneConsumer(0, 'batch')
  // As they were: `update` alone would keep what it is not told.
  const { config } = await manager.consumers.info(JOBS, consumer)
  const { priority_groups, priority_policy, ...before } = config
  expect({ priority_groups, priority_policy }).toEqual({
    priority_groups: [PULL_GROUP],
    priority_policy: 'prioritized',
  })
  await nc.request(
    `$JS.API.CONSUMER.DURABLE.CREATE.${JOBS}.${consumer}`,
    JSON.stringify({ stream_name: JOBS, config: before, action: 'update' }),
  )
  expect((await manager.consumers.info(JOBS, consumer)).config.priority_policy).toBeUndefined()
  await prepareBroker(nc, await plan())
  expect((await manager.consumers.info(JOBS, consumer)).config).toMatchObject({ priority_policy, priority_groups })
  await nc.close()
})

test('there may be more partitions while requests flow', async () => {
  const running = await load('iris', flower, 2)
  const nc = await stack.stack.nats('admin')
  const { partitions, models } = await plan()
  await prepareBroker(nc, { partitions: partitions + 3, models: {} })
  const grown = await planWith(
    (plan) =>
      plan.partitions === partitions + 3 && plan.homes?.at(-2)?.length === 1 && plan.homes.length === plan.partitions,
  )
  expect(Object.keys(grown.models).sort()).toEqual(Object.keys(models).sort())
  const before = running.sent()
  await stack.until(async () => running.sent() > before + 20)
  const all = await running.end()
  expect(all.filter((events) => typesOf(events).at(-1) !== 'completed')).toEqual([])
  // Fewer there are never.
  await prepareBroker(nc, { partitions, models: {} })
  expect((await plan()).partitions).toBe(partitions + 3)
  await nc.close()
}, 120_000)
