import { expect, test } from 'bun:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { bundledModels } from '@oriel/dev/bundled-models'
import { firstPlan } from '@oriel/dev/plan'
import { prepareBroker } from '@oriel/dev/streams'
import { HistoryPage } from '@oriel/protocol/api'
import { partitionOf } from '@oriel/protocol/placement'
import { MAX_QUEUED } from '@oriel/protocol/streams'
import { DEAD, JOBS, jobSubject, PROGRESS } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { type Received, typesOf } from '../support/client.ts'
import { BUNDLED } from '../support/models.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({ models: ['wide'] })
const iris = { input: { features: [5.1, 3.5, 1.4, 0.2] } }
const plan = firstPlan(bundledModels(BUNDLED))

test('a full queue refuses before anything is accepted, and says when to try again', async () => {
  const alice = await stack.client('alice')
  const nc = await stack.stack.nats('admin')
  const streams = await jetstreamManager(nc)
  await stack.without('node-1', async () => {
    const subject = jobSubject(partitionOf(plan, 'iris'), 'interactive', 'iris')
    await Promise.all(Array.from({ length: MAX_QUEUED }, () => jetstream(nc).publish(subject, '{}')))
    const response = await alice.post('iris', { ...iris, requestID: 'refused' })
    expect(response.status).toBe(503)
    const retryAfter = Number(response.headers.get('Retry-After'))
    expect(retryAfter).toBeGreaterThanOrEqual(1)
    expect(retryAfter).toBeLessThanOrEqual(60)
    expect(await response.json()).toMatchObject({ type: 'urn:oriel:problem:queue-full' })
    // Limits are not what it met, and what it took of them is given back.
    expect(response.headers.get('RateLimit')).toBeNull()
    expect((await alice.send('/requests/refused')).status).toBe(404)
    const unnamed = await alice.post('iris', iris)
    expect(await unnamed.json()).toMatchObject({ type: 'urn:oriel:problem:queue-full', status: 503 })
    expect(unnamed.headers.get('RateLimit-Policy')).toBeNull()
    // Another model has a queue of its own.
    expect((await alice.post('sentiment', { input: 'Fine.' })).status).toBe(202)
    await streams.streams.purge(JOBS, { filter: subject })
  })
  const { requestID } = await alice.submit('iris', { ...iris, requestID: 'refused' })
  expect(typesOf(await alice.follow(requestID)).at(-1)).toBe('completed')
  // Requests without a name of their own are refused a moment longer, without an actor.
  await stack.until(async () => (await alice.post('iris', iris)).status === 202)
  await nc.close()
})

test('an accepted request whose broker lost everything is sent again by its actor, and ends for who streams it', async () => {
  const alice = await stack.client('alice')
  const nc = await stack.stack.nats('admin')
  const streams = await jetstreamManager(nc)
  const logs = async () =>
    Object.keys((await streams.streams.info(PROGRESS, { subjects_filter: '>' })).state.subjects ?? {})
  let requestID = ''
  let events: Promise<Received[]> | undefined
  await stack.without('node-1', async () => {
    const others = await logs()
    requestID = (await alice.submit('iris', iris)).requestID
    // The new log will be shorter than the one that is lost.
    const log = (await logs()).find((subject) => !others.includes(subject)) ?? ''
    for (let n = 2; n <= 9; n += 1) {
      await jetstream(nc).publish(log, JSON.stringify({ n, at: Date.now(), type: 'queued', position: 0 }))
    }
    await new Promise<void>((resolve) => {
      events = alice.follow(requestID, ({ id }) => id === 9 && resolve())
    })
    for (const name of [JOBS, PROGRESS, DEAD]) await streams.streams.delete(name)
    await prepareBroker(nc, plan)
  })
  await stack.until(async () => (await alice.get(requestID)).status === 'completed')
  expect(typesOf((await events) ?? []).at(-1)).toBe('completed')
  await nc.close()
}, 90_000)

test('a submit that the broker took only half of is completed by its actor, and recorded', async () => {
  const alice = await stack.client('alice')
  const nc = await stack.stack.nats('admin')
  const streams = await jetstreamManager(nc)
  await streams.streams.delete(JOBS)
  const { requestID } = await alice.submit('iris', { ...iris, requestID: 'half' })
  const events = alice.follow(requestID)
  await prepareBroker(nc, plan)
  expect(typesOf(await events).at(-1)).toBe('completed')
  await stack.recorded('alice', 'half')
  const { requests } = v.parse(HistoryPage, await (await alice.send('/requests')).json())
  expect(requests.find((request) => request.requestID === 'half')?.status).toBe('completed')
  await nc.close()
}, 90_000)

test('a body that is short as it is sent, and too long as it is passed on, is refused', async () => {
  const alice = await stack.client('alice')
  const body = `{"modelID":"wide","request":{"requestID":"long","input":{"x":[${Array(199_000).fill('1e20').join()}]}}}`
  expect(body.length).toBeLessThan(1_000_000)
  const headers = { 'Content-Type': 'application/json' }
  const response = await alice.send('/requests', { method: 'POST', body, headers })
  expect(response.status).toBe(413)
  expect(await response.json()).toMatchObject({ type: 'urn:oriel:problem:too-large' })
  expect((await alice.send('/requests/long')).status).toBe(404)
})
