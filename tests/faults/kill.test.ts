import { beforeAll, expect, test } from 'bun:test'
import { textOf, typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()
const story = { input: 'Once upon a time', parameters: { maxTokens: 60, seed: 11, tokensPerSecond: 20 } }

/** Sends a story and does something to the stack when a few words have come. */
async function storyThrough(fault: () => Promise<void>) {
  const alice = await stack.client('alice')
  const { requestID } = await alice.submit('storyteller', story)
  let struck: Promise<void> | undefined
  const events = await alice.follow(requestID, ({ type }) => {
    if (type === 'responses') struck ??= fault()
  })
  await struck
  return { events, requestID }
}

let uninterrupted = ''
beforeAll(async () => {
  uninterrupted = textOf((await storyThrough(async () => {})).events)
}, 60_000)

test.each(['edge', 'node', 'host', 'nats'] as const)(
  'kill -9 of the %s in the middle of a generation: the client sees a pause and nothing else',
  async (kind) => {
    const { events, requestID } = await storyThrough(() => stack.kill(kind))
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1))
    expect(typesOf(events).at(-1)).toBe('completed')
    expect(textOf(events)).toBe(uninterrupted)
    // What came in pieces over a broken connection is what the history has.
    const alice = await stack.client('alice')
    await stack.until(async () => (await alice.get(requestID)).status === 'completed')
    const { responses } = await alice.get(requestID)
    expect(responses.map(({ response }) => response).join('')).toBe(uninterrupted)
  },
  90_000,
)
