import { expect, test } from 'bun:test'
import type { RequestEvent } from './event.ts'
import { fold, foldAll } from './log.ts'

const log: RequestEvent[] = [
  { n: 1, at: 10, type: 'queued', position: 2 },
  { n: 2, at: 20, type: 'started', node: 'a', attempt: 1 },
  { n: 3, at: 30, type: 'responses', response: 'Once ' },
  { n: 4, at: 40, type: 'started', node: 'b', attempt: 2 },
  { n: 5, at: 50, type: 'completed' },
]

test('the status is the last that an event told', () => {
  const statuses = log.map((_, index) => foldAll(log.slice(0, index + 1)).status)
  expect(statuses).toEqual(['queued', 'started', 'started', 'started', 'completed'])
})

test('attempts are counted, and the first start counts for the elapsed time', () => {
  expect(foldAll(log)).toMatchObject({ n: 5, attempt: 2, startedAt: 20, terminal: log[4] })
})

test('a place in the queue that is told again after a start does not turn the status back', () => {
  const again = fold(foldAll(log.slice(0, 2)), { n: 3, at: 30, type: 'queued', position: 0 })
  expect(again.status).toBe('started')
})

test('what the fence forbids is an error here', () => {
  expect(() => foldAll([...log, { n: 6, at: 60, type: 'completed' }])).toThrow('follows the terminal one')
  expect(() => foldAll(log.slice(1))).toThrow('cannot follow')
})
