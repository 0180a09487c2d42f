import { expect, test } from 'bun:test'
import { ALL_CANCELS, ALL_PREDICTIONS, requestOf } from '@oriel/protocol/subjects'
import { useStack } from '../support/stack.ts'

const stack = useStack({ nodes: 2, models: ['counter'] })

/** Runs for as long as it is given. */
const COUNT_MS = 1_500

async function count(times: number, signal?: AbortSignal): Promise<Response> {
  const client = await stack.client('alice')
  return client.send('/models/counter/predict', {
    method: 'POST',
    body: JSON.stringify({ inputs: { times } }),
    headers: { 'Content-Type': 'application/json' },
    ...(signal && { signal }),
  })
}

/** How far the model counts in so many ms on this machine. */
async function timesFor(ms: number): Promise<number> {
  const times = 200_000
  await count(times)
  const startedAt = performance.now()
  await count(times)
  return Math.ceil((times / (performance.now() - startedAt)) * ms)
}

/** What passes on a subject from now on. */
async function listen(subject: string) {
  const nc = await stack.stack.nats('admin')
  const heard = nc.subscribe(subject)
  await nc.flush()
  const iterator = heard[Symbol.asyncIterator]()
  return { next: async () => (await iterator.next()).value, close: () => nc.close() }
}

test('a prediction whose node dies is answered by another', async () => {
  const times = await timesFor(COUNT_MS)
  const asked = await listen(ALL_PREDICTIONS)
  const answer = count(times)
  const [, node] = String((await asked.next())?.subject).split('.')
  const victim = (await stack.stack.parts()).find(({ name }) => name === node)
  process.kill(Number(victim?.pid), 'SIGKILL')
  expect(String((await asked.next())?.subject)).not.toContain(String(node))
  expect((await answer).status).toBe(200)
  await asked.close()
}, 60_000)

test('when the caller leaves, nodes are told', async () => {
  await stack.stack.ready()
  const times = await timesFor(COUNT_MS)
  const cancels = await listen(ALL_CANCELS)
  const asked = await listen(ALL_PREDICTIONS)
  const leaving = new AbortController()
  const answer = count(times, leaving.signal).catch(() => 'left')
  await asked.next()
  leaving.abort()
  expect(await answer).toBe('left')
  expect(requestOf(String((await cancels.next())?.subject))).toMatch(/^[0-9a-f-]{36}$/)
  await Promise.all([cancels.close(), asked.close()])
}, 60_000)

test('when the broker stays away, who waits for a prediction is told before their time is over', async () => {
  await stack.stack.ready()
  const times = await timesFor(COUNT_MS)
  const asked = await listen(ALL_PREDICTIONS)
  const answer = count(times)
  await asked.next()
  await stack.stack.stopPart('nats')
  const { status, headers } = await answer
  expect(status).toBe(503)
  expect(headers.get('Retry-After')).toMatch(/^[1-9]/)
  await stack.stack.startPart('nats')
  await stack.stack.ready()
  await asked.close()
}, 60_000)
