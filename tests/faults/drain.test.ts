import { expect, test } from 'bun:test'
import { textOf, typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({ nodes: 2 })

test('a node that is told to leave under load fails no request', async () => {
  const alice = await stack.client('alice')
  const parameters = { maxTokens: 40, seed: 5, tokensPerSecond: 20 }
  const requests = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      index % 3 === 0
        ? alice.submit('iris', { input: { features: [1, 2, 3, 4] } })
        : alice.submit('storyteller', { input: 'The rain', parameters }),
    ),
  )
  const streams = requests.map(({ requestID }) => alice.follow(requestID))
  await stack.stack.removeNode('node-2')
  const late = await alice.submit('storyteller', { input: 'The rain', parameters })
  const all = await Promise.all([...streams, alice.follow(late.requestID)])
  expect(all.map((events) => typesOf(events).at(-1))).toEqual(all.map(() => 'completed'))
  const texts = all.map(textOf).filter((text) => text !== '' && !text.includes('[object'))
  expect(new Set(texts).size).toBe(1)
}, 90_000)
