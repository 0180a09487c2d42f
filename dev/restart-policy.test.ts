import { expect, test } from 'bun:test'
import { afterDeath, NO_FAILURES } from './restart-policy.ts'

test('a part that had been steady comes back at once', () => {
  expect(afterDeath({ count: 5 }, 60_000)).toEqual({ failures: NO_FAILURES, delayMs: 0 })
})

test('a part that keeps dying waits longer each time and is given up', () => {
  let failures = NO_FAILURES
  const delays = Array.from({ length: 6 }, () => {
    const next = afterDeath(failures, 100)
    failures = next.failures
    return next.delayMs
  })
  expect(delays).toEqual([200, 400, 800, 1_600, 3_200, 'give up'])
})
