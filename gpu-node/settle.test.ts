import { expect, test } from 'bun:test'
import { PROBLEM_KINDS, type Problem } from '@oriel/protocol/problem'
import fc from 'fast-check'
import { settle } from './settle.ts'

const crashed: Problem = { kind: 'host-crashed', detail: '' }

test('what the caller did wrong is never tried again', () => {
  expect(settle({ kind: 'input-mismatch', detail: '' }, 1, 5, 0)).toEqual({ verdict: 'fail' })
})

test('a retry waits about twice as long each time', () => {
  const delays = [1, 2, 3, 4].map((spent) => settle(crashed, spent, 5, 1))
  expect(delays).toEqual([500, 1000, 2000, 4000].map((delayMs) => ({ verdict: 'retry', delayMs })))
})

test('the last attempt of the budget fails', () => {
  expect(settle(crashed, 5, 5, 0.5)).toEqual({ verdict: 'fail' })
  expect(settle(crashed, 1, 1, 0.5)).toEqual({ verdict: 'fail' })
})

test('a problem that asks for a pause gets it', () => {
  expect(settle({ ...crashed, kind: 'queue-full', retryAfterMs: 9_000 }, 1, 5, 0)).toEqual({
    verdict: 'retry',
    delayMs: 9_000,
  })
})

test('every kind is settled within the budget, and no delay leaves its bounds', () => {
  const cases = [
    fc.constantFrom(...PROBLEM_KINDS),
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 20 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  ] as const
  fc.assert(
    fc.property(...cases, (kind, spent, budget, random) => {
      const settlement = settle({ kind, detail: '' }, spent, budget, random)
      if (settlement.verdict === 'fail') return
      expect(spent).toBeLessThan(budget)
      expect(settlement.delayMs).toBeWithin(250, 30_001)
    }),
  )
})
