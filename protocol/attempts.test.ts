import { expect, test } from 'bun:test'
import { attemptsOf } from './attempts.ts'

test('each attempt has its node and why it ended; one that fell silent has no reason', () => {
  const problem = { kind: 'inference-failed', detail: 'no' } as const
  expect(
    attemptsOf([
      { n: 1, at: 1, type: 'queued', position: 0 },
      { n: 2, at: 2, type: 'started', node: 'a', attempt: 1 },
      { n: 3, at: 3, type: 'started', node: 'b', attempt: 2 },
      { n: 4, at: 4, type: 'retrying', attempt: 3, inMs: 5, problem },
      { n: 5, at: 5, type: 'started', node: 'a', attempt: 3 },
      { n: 6, at: 6, type: 'failed', problem, retriable: true },
    ]),
  ).toEqual([
    { attempt: 1, node: 'a', startedAt: 2 },
    { attempt: 2, node: 'b', startedAt: 3, problem },
    { attempt: 3, node: 'a', startedAt: 5, problem },
  ])
})
