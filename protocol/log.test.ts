import { expect, test } from 'bun:test'
import type { RequestEvent } from './event.ts'
import { attemptsSpent, fold, foldAll } from './log.ts'

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

test("a failure that was not the request's own costs no attempt", () => {
  const problem = { kind: 'host-crashed', detail: '' } as const
  const log = foldAll([
    { n: 1, at: 1, type: 'started', node: 'a', attempt: 1 },
    { n: 2, at: 2, type: 'retrying', attempt: 1, inMs: 0, problem },
    { n: 3, at: 3, type: 'started', node: 'b', attempt: 1 },
    { n: 4, at: 4, type: 'retrying', attempt: 2, inMs: 0, problem },
  ])
  expect(log).toMatchObject({ status: 'retrying', nextAttempt: 2 })
  expect(attemptsSpent(log)).toBe(1)
})

test('an attempt that ended without a word costs one', () => {
  const log = foldAll([{ n: 1, at: 1, type: 'started', node: 'a', attempt: 1 }])
  expect(attemptsSpent(log)).toBe(1)
  expect(log.nextAttempt).toBe(2)
})

test('a failed request that is queued again goes on, with a whole budget; no other end is undone', () => {
  const problem = { kind: 'inference-failed', detail: '' } as const
  const failed = [
    { n: 1, at: 1, type: 'started', node: 'a', attempt: 1 },
    { n: 2, at: 2, type: 'failed', problem, retriable: true },
  ] as const
  const log = foldAll([...failed, { n: 3, at: 3, type: 'queued', position: 0 }])
  expect(log).toMatchObject({ status: 'queued', terminal: undefined, nextAttempt: 2 })
  expect(attemptsSpent(log)).toBe(0)
  expect(() => foldAll([...failed, { n: 3, at: 3, type: 'started', node: 'b', attempt: 2 }])).toThrow('terminal')
  expect(() =>
    foldAll([
      { n: 1, at: 1, type: 'cancelled' },
      { n: 2, at: 2, type: 'queued', position: 0 },
    ]),
  ).toThrow('terminal')
})
