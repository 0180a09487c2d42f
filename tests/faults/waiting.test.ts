import { expect, test } from 'bun:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { bundledModels } from '@oriel/dev/bundled-models'
import { firstPlan } from '@oriel/dev/plan'
import { Dead } from '@oriel/protocol/dead'
import { partitionOf } from '@oriel/protocol/placement'
import { MAX_DELIVER, PULL_GROUP } from '@oriel/protocol/streams'
import { DEAD, deadSubject, JOBS, laneConsumer } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { typesOf } from '../support/client.ts'
import { BUNDLED } from '../support/models.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()
const iris = { input: { features: [5.1, 3.5, 1.4, 0.2] } }
const consumer = laneConsumer(partitionOf(firstPlan(bundledModels(BUNDLED)), 'iris'), 'interactive')

test('a request whose model no node has is told so while it waits, and runs when one has it', async () => {
  const alice = await stack.client('alice')
  const waits = Promise.withResolvers<Record<string, unknown>>()
  let events: ReturnType<typeof alice.follow> | undefined
  await stack.without('node-1', async () => {
    const { requestID } = await alice.submit('iris', iris)
    events = alice.follow(requestID, ({ type, data }) => {
      if (type === 'progress') waits.resolve(data)
    })
    const { waitingFor, elapsedMs } = await waits.promise
    expect(waitingFor).toBe('model')
    expect(elapsedMs).toBeGreaterThan(2_000)
    expect((await alice.get(requestID)).status).toBe('queued')
  })
  const types = typesOf((await events) ?? [])
  expect(types.slice(0, 2)).toEqual(['queued', 'progress'])
  expect(types.slice(-3)).toEqual(['started', 'responses', 'completed'])
}, 90_000)

test('a job that has had all its deliveries is failed, kept in DEAD, and gone from the queue', async () => {
  const alice = await stack.client('alice')
  const nc = await stack.stack.nats('admin')
  const manager = await jetstreamManager(nc)
  await stack.without('node-1', async () => {
    await manager.consumers.update(JOBS, consumer, { max_deliver: 2 })
    const { requestID } = await alice.submit('iris', iris)
    const events = alice.follow(requestID)
    const ask = { expires: 5_000, group: PULL_GROUP }
    const pull = await jetstream(nc).consumers.get(JOBS, consumer)
    for (const delivery of [1, 2]) {
      const message = await pull.next(ask)
      expect(message?.info.deliveryCount).toBe(delivery)
      message?.nak()
    }
    // The broker finds that there were enough when somebody asks for more.
    const third = pull.next({ ...ask, expires: 1_000 })
    expect((await events).at(-1)).toMatchObject({
      type: 'failed',
      data: { problem: { kind: 'host-crashed' }, retriable: true },
    })
    expect(await third).toBeNull()
    await stack.until(async () => (await manager.streams.info(JOBS)).state.messages === 0)
    const stored = await manager.streams.getMessage(DEAD, { last_by_subj: deadSubject('iris', requestID) })
    const dead = v.parse(Dead, stored?.json())
    expect(dead).toMatchObject({ deliveries: 2, attempts: [], job: { id: requestID, model: 'iris' } })
    await stack.recorded('alice', requestID)
    expect((await alice.get(requestID)).status).toBe('failed')
    await manager.consumers.update(JOBS, consumer, { max_deliver: MAX_DELIVER })
  })
  await nc.close()
}, 90_000)
