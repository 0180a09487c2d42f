import { beforeAll, expect, test } from 'bun:test'
import { nodeStatuses } from '@oriel/dev/node-statuses'
import type { Received } from '../support/client.ts'
import { textOf, typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({ nodes: 2 })
const story = { input: 'Once upon a time', parameters: { maxTokens: 80, seed: 11, tokensPerSecond: 10 } }

let uninterrupted = ''
beforeAll(async () => {
  const alice = await stack.client('alice')
  const quick = { ...story, parameters: { ...story.parameters, tokensPerSecond: 100 } }
  const { requestID } = await alice.submit('storyteller', quick)
  uninterrupted = textOf(await alice.follow(requestID))
}, 60_000)

const nodesOf = (events: readonly Received[]) =>
  events.flatMap(({ type, data }) => (type === 'started' ? [String(data.node)] : []))

test('a frozen node is taken over, and when it wakes it changes nothing', async () => {
  const alice = await stack.client('alice')
  let frozen = ''
  let frozenAt = 0
  let longestMs = 0
  const events: Received[] = []
  const { requestID } = await alice.submit('storyteller', story)
  try {
    let lastAt = Date.now()
    await alice.follow(requestID, (event) => {
      events.push(event)
      if (frozenAt > 0) longestMs = Math.max(longestMs, Date.now() - lastAt)
      lastAt = Date.now()
      const [node, heir] = nodesOf(events)
      if (event.type === 'responses' && node && !frozen) {
        frozen = node
        frozenAt = lastAt
        stack.stack.kill(node, 'SIGSTOP')
      }
      // In the middle of what the other node says.
      if (heir && event.type === 'responses') stack.stack.kill(frozen, 'SIGCONT')
    })
  } finally {
    if (frozen) stack.stack.kill(frozen, 'SIGCONT')
  }
  const [first, second, ...more] = nodesOf(events)
  expect(second).toBeDefined()
  expect(second).not.toBe(first)
  expect(more).toEqual([])
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1))
  expect(textOf(events)).toBe(uninterrupted)
  expect(typesOf(events).filter((type) => type === 'completed')).toHaveLength(1)
  console.log(`a frozen node was taken over after ${longestMs} ms`)
  // When both nodes have said all they had to say, the log and the history are as the client saw them.
  const nc = await stack.stack.nats('admin')
  await stack.until(async () => {
    const statuses = await nodeStatuses(nc)
    return statuses.length === 2 && statuses.every(({ busy }) => busy === 0)
  })
  await nc.close()
  await stack.recorded('alice', requestID)
  const view = await alice.get(requestID)
  expect(view.status).toBe('completed')
  expect(view.lastEventID).toBe(events.length)
  expect(view.responses.map(({ response }) => response).join('')).toBe(uninterrupted)
}, 120_000)
