import { expect, test } from 'bun:test'
import { PROBLEM_KINDS, type Problem } from '@oriel/protocol/problem'
import { MAX_DELIVER } from '@oriel/protocol/streams'
import fc from 'fast-check'
import { settle } from './settle.ts'

const crashed: Problem = { kind: 'host-crashed', detail: '' }

test('what the caller did wrong is never tried again', () => {
  expect(settle({ kind: 'input-mismatch', detail: '' }, 1, 0)).toEqual({ verdict: 'fail', retriable: false })
})

test('a retry waits about twice as long each time', () => {
  const delays = [1, 2, 3, 4].map((delivery) => settle(crashed, delivery, 1))
  expect(delays).toEqual([500, 1000, 2000, 4000].map((delayMs) => ({ verdict: 'retry', delayMs })))
})

test('the last delivery fails, and tells the client to try again', () => {
  expect(settle(crashed, MAX_DELIVER, 0.5)).toEqual({ verdict: 'fail', retriable: true })
})

test('a problem that asks for a pause gets it', () => {
  expect(settle({ ...crashed, kind: 'queue-full', retryAfterMs: 9_000 }, 1, 0)).toEqual({
    verdict: 'retry',
    delayMs: 9_000,
  })
})

test('every kind is settled within the budget, and no delay leaves its bounds', () => {
  const cases = [
    fc.constantFrom(...PROBLEM_KINDS),
    fc.integer({ min: 1, max: 40 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  ] as const
  fc.assert(
    fc.property(...cases, (kind, delivery, random) => {
      const settlement = settle({ kind, detail: '' }, delivery, random)
      if (settlement.verdict === 'fail') return
      expect(delivery).toBeLessThan(MAX_DELIVER)
      expect(settlement.delayMs).toBeWithin(250, 30_001)
    }),
  )
})
