import { expect, test } from 'bun:test'
import { FullQueues } from './full-queues.ts'

const full = { kind: 'queue-full', detail: 'full', retryAfterMs: 3_000 } as const

test('a refusal answers for the same queue for half a second, and for no other', () => {
  const queues = new FullQueues()
  queues.refused('iris', 'batch', full, 1_000)
  expect(queues.refusal('iris', 'batch', 1_499)).toEqual(full)
  expect(queues.refusal('iris', 'batch', 1_500)).toBeUndefined()
  expect(queues.refusal('iris', 'interactive', 1_000)).toBeUndefined()
  expect(queues.refusal('sentiment', 'batch', 1_000)).toBeUndefined()
})

test('no other problem says that a queue is full', () => {
  const queues = new FullQueues()
  queues.refused('iris', 'batch', { kind: 'limit-exceeded', detail: '' }, 0)
  expect(queues.refusal('iris', 'batch', 0)).toBeUndefined()
})
