import { beforeAll, expect, test } from 'bun:test'
import { textOf, typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({ nodes: 2 })
const story = { input: 'Once upon a time', parameters: { maxTokens: 60, seed: 11, tokensPerSecond: 20 } }

let uninterrupted = ''
beforeAll(async () => {
  const alice = await stack.client('alice')
  const { requestID } = await alice.submit('storyteller', story)
  uninterrupted = textOf(await alice.follow(requestID))
}, 60_000)

/** How long clients may see nothing: 3 s is the promise, and this machine has other things to do. */
const MAX_PAUSE_MS = 6_000

/** Sends stories, waits until all of them run, then kills a node that has some. */
async function storiesThrough(before: () => Promise<void> = async () => {}) {
  const alice = await stack.client('alice')
  const sent = await Promise.all(Array.from({ length: 4 }, () => alice.submit('storyteller', story)))
  const runners = new Map<string, string>()
  const running = Promise.withResolvers<void>()
  const takenAt = new Map<string, number>()
  const streams = sent.map(({ requestID }) =>
    alice.follow(requestID, ({ type, data }) => {
      if (type === 'started' && data.attempt === 1) runners.set(requestID, String(data.node))
      // What the dead node had said may still be on its way: the next event is the other node's first.
      if (type === 'started' && data.attempt === 2) takenAt.set(requestID, Date.now())
      if (type === 'responses' && runners.size === sent.length) running.resolve()
    }),
  )
  await running.promise
  await before()
  const victim = runners.get(sent[0]?.requestID ?? '') ?? ''
  const had = [...runners].filter(([, node]) => node === victim).map(([id]) => id)
  stack.stack.kill(victim)
  const killedAt = Date.now()
  const all = await Promise.all(streams)
  const pauses = had.map((id) => (takenAt.get(id) ?? Number.NaN) - killedAt)
  console.log(`kill -9 of ${victim}: its requests were taken over after ${pauses.join(', ')} ms`)
  expect(all.map((events) => typesOf(events).at(-1))).toEqual(sent.map(() => 'completed'))
  expect(all.map(textOf)).toEqual(sent.map(() => uninterrupted))
  for (const events of all) expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1))
  await stack.stack.ready()
  return pauses
}

test('a node that is killed: others go on with what it had within seconds, word for word', async () => {
  for (const pause of await storiesThrough()) expect(pause).toBeLessThan(MAX_PAUSE_MS)
}, 90_000)

test('a relay that was reset meanwhile reads in the logs what the dead node had', async () => {
  const pauses = await storiesThrough(async () => {
    await stack.kill('edge')
    await stack.stack.ready()
  })
  for (const pause of pauses) expect(pause).toBeLessThan(MAX_PAUSE_MS)
}, 90_000)
