import { beforeAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { bundledModels } from '@oriel/dev/bundled-models'
import { firstPlan } from '@oriel/dev/plan'
import { prepareBroker } from '@oriel/dev/streams'
import type { Client, Received } from '../support/client.ts'
import { isTerminal, received, textOf, typesOf } from '../support/client.ts'
import { BUNDLED } from '../support/models.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({ nodes: 2 })
const story = { input: 'Once upon a time', parameters: { maxTokens: 80, seed: 11, tokensPerSecond: 20 } }

/** As after a disk was lost: the broker comes back with nothing of what it had. */
async function loseState(): Promise<void> {
  await stack.stack.stopPart('nats')
  rmSync(join(stack.stack.stateDir, 'jetstream'), { recursive: true, force: true })
  await stack.stack.startPart('nats')
  const nc = await stack.stack.nats('admin')
  await prepareBroker(nc, firstPlan(bundledModels(BUNDLED)))
  await nc.close()
}

/** A client that hangs up after every event and comes back with its number, as an EventSource does. */
async function hop(client: Client, requestID: string, onEvent: (event: Received) => void): Promise<Received[]> {
  const all: Received[] = []
  while (!isTerminal(all.at(-1))) {
    const hangUp = new AbortController()
    try {
      const after = all.at(-1)?.id
      const response = await client.open(requestID, { signal: hangUp.signal, ...(after !== undefined && { after }) })
      // An EventSource that is refused does not come back.
      expect([200, 503]).toContain(response.status)
      if (response.status !== 200) continue
      for await (const event of received(response)) {
        all.push(event)
        onEvent(event)
        break
      }
    } catch (error) {
      if (!(error instanceof TypeError) && !isNetwork(error)) throw error
    } finally {
      hangUp.abort()
    }
  }
  return all
}

const isNetwork = (error: unknown) => error instanceof Error && ['AbortError', 'Error'].includes(error.name)

let uninterrupted = ''
beforeAll(async () => {
  const alice = await stack.client('alice')
  const { requestID } = await alice.submit('storyteller', story)
  uninterrupted = textOf(await alice.follow(requestID))
}, 60_000)

test('the broker loses everything in the middle of generations: clients see a pause and nothing else', async () => {
  const alice = await stack.client('alice')
  let lost: Promise<void> | undefined
  const tellings = await Promise.all(
    Array.from({ length: 4 }, async (_, index) => {
      const { requestID } = await alice.submit('storyteller', story)
      const strike = ({ id }: Received) => {
        if (index === 0 && id === 8) lost ??= loseState()
      }
      const events = index < 2 ? await hop(alice, requestID, strike) : await alice.follow(requestID)
      return { requestID, events }
    }),
  )
  expect(lost).toBeDefined()
  await lost
  for (const { requestID, events } of tellings) {
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1))
    expect(typesOf(events).filter((type) => type === 'completed')).toHaveLength(1)
    expect(typesOf(events).at(-1)).toBe('completed')
    expect(textOf(events)).toBe(uninterrupted)
    await stack.recorded('alice', requestID)
    const { responses } = await alice.get(requestID)
    expect(responses.map(({ response }) => response)).toEqual(
      events.flatMap(({ type, data }) => (type === 'responses' ? [data.response as string] : [])),
    )
  }
}, 120_000)

test('the node whose log was written again is killed, too: the job that was lost with the broker is sent again', async () => {
  const alice = await stack.client('alice')
  const long = { ...story, parameters: { ...story.parameters, tokensPerSecond: 10 } }
  const { requestID } = await alice.submit('storyteller', long)
  let lost: Promise<void> | undefined
  let isBack = false
  let node = ''
  let killed = false
  const events = await alice.follow(requestID, ({ id, type, data }) => {
    if (type === 'started') node = String(data.node)
    if (id === 8) {
      lost ??= loseState().then(() => {
        isBack = true
      })
    }
    // What comes now is in a log that was written again.
    if (!isBack || killed) return
    killed = true
    stack.stack.kill(node)
  })
  await lost
  expect(killed).toBe(true)
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1))
  expect(typesOf(events).at(-1)).toBe('completed')
  expect(textOf(events)).toBe(uninterrupted)
}, 120_000)

test('a request waits when the broker loses everything: what its client was told while it waited stays as it was', async () => {
  const alice = await stack.client('alice')
  for (const node of ['node-1', 'node-2']) await stack.stack.stopPart(node)
  const third = Promise.withResolvers<void>()
  const { requestID } = await alice.submit('storyteller', { ...story, parameters: { maxTokens: 20, seed: 11 } })
  const following = alice.follow(requestID, ({ id }) => {
    if (id === 3) third.resolve()
  })
  try {
    await third.promise
    await loseState()
  } finally {
    for (const node of ['node-1', 'node-2']) await stack.stack.startPart(node)
  }
  const events = await following
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1))
  expect(typesOf(events).at(-1)).toBe('completed')
  expect(uninterrupted).toStartWith(textOf(events))
  // Once more from the start, out of the log that was written again.
  expect(await alice.follow(requestID)).toEqual(events)
}, 120_000)

test('a request that was cancelled while it waited is cancelled for good, though the broker loses that', async () => {
  const alice = await stack.client('alice')
  const parts = ['recorder', 'node-1', 'node-2'] as const
  for (const part of parts) await stack.stack.stopPart(part)
  const { requestID } = await alice.submit('storyteller', story)
  expect((await alice.send(`/requests/${requestID}`, { method: 'DELETE' })).status).toBe(200)
  try {
    await loseState()
  } finally {
    for (const part of parts) await stack.stack.startPart(part)
  }
  await stack.until(async () => (await alice.send(`/requests/${requestID}`)).status === 200)
  expect((await alice.get(requestID)).status).toBe('cancelled')
}, 60_000)
