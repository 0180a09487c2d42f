import { describe, expect, test } from 'bun:test'
import type { Limits } from '@oriel/protocol/limits'
import fc from 'fast-check'
import type { Meter } from './limits.ts'
import { EMPTY_METER, refund, refusalOf, spend, usageOf } from './limits.ts'

const limits: Limits = { rate: { perSecond: 2, burst: 4 }, concurrent: 3, bytesPerDay: 1_000 }
const NOON = Date.UTC(2026, 10, 21, 12)

describe('the rate', () => {
  test('after a pause a burst is let through, then as many as the rate gives', () => {
    let meter = EMPTY_METER
    for (let sent = 0; sent < 4; sent += 1) {
      expect(refusalOf(meter, limits, 0, 1, NOON)).toBeUndefined()
      meter = spend(meter, limits, 1, NOON)
    }
    expect(refusalOf(meter, limits, 0, 1, NOON)).toEqual({ limit: 'rate', retryAfterMs: 500 })
    expect(refusalOf(meter, limits, 0, 1, NOON + 500)).toBeUndefined()
  })

  test('in no window is more accepted than the burst and what the rate gives, and Retry-After is kept', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(
        pauses,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 30 }),
        (pauses, perSecond, burst) => {
          const some = { ...limits, rate: { perSecond, burst } }
          const accepted: number[] = []
          let meter: Meter = EMPTY_METER
          let now = NOON
          for (const pause of pauses) {
            now += pause
            const refusal = refusalOf(meter, some, 0, 0, now)
            if (refusal) {
              expect(refusalOf(meter, some, 0, 0, now + refusal.retryAfterMs)).toBeUndefined()
              continue
            }
            meter = spend(meter, some, 0, now)
            accepted.push(now)
          }
          for (const [first, from] of accepted.entries()) {
            for (const [last, to] of accepted.entries()) {
              if (last < first) continue
              // 1e-6: the bucket is a floating number.
              expect(last - first + 1).toBeLessThanOrEqual(burst + ((to - from) / 1_000) * perSecond + 1e-6)
            }
          }
        },
      ),
      { examples: [[[0, 5, 177, 4, 0], 1, 2]] },
    )
  })

  test('a clock that goes back neither gives nor takes', () => {
    const meter = spend(EMPTY_METER, limits, 1, NOON)
    expect(usageOf(meter, limits, 0, NOON - 60_000)[0]).toEqual(usageOf(meter, limits, 0, NOON)[0] ?? expect.anything())
  })
})

test('requests at once are limited, and one that ends makes room', () => {
  expect(refusalOf(EMPTY_METER, limits, 2, 1, NOON)).toBeUndefined()
  expect(refusalOf(EMPTY_METER, limits, 3, 1, NOON)).toMatchObject({ limit: 'concurrent' })
})

test('the bytes of a day are limited until midnight UTC', () => {
  const meter = spend(EMPTY_METER, limits, 600, NOON)
  expect(refusalOf(meter, limits, 0, 400, NOON)).toBeUndefined()
  const refusal = refusalOf(meter, limits, 0, 401, NOON)
  expect(refusal).toEqual({ limit: 'bytes', retryAfterMs: 12 * 3_600_000 })
  expect(refusalOf(meter, limits, 0, 401, NOON + 12 * 3_600_000)).toBeUndefined()
})

test('what is refunded was never spent; of yesterday only the rate is', () => {
  const before = spend(EMPTY_METER, limits, 100, NOON)
  expect(refund(spend(before, limits, 50, NOON), limits, 50, NOON, NOON)).toEqual(before)
  const tomorrow = NOON + 86_400_000
  const spent = spend(EMPTY_METER, limits, 70, tomorrow)
  expect(refund(spent, limits, 50, NOON, tomorrow).bytes).toBe(70)
})

test('requests that were let through unasked put the bucket into debt, of a burst at most', () => {
  let meter = EMPTY_METER
  for (let sent = 0; sent < 100; sent += 1) meter = spend(meter, limits, 0, NOON)
  expect(refusalOf(meter, limits, 0, 0, NOON)?.retryAfterMs).toBe(2_500)
  expect(usageOf(meter, limits, 0, NOON)[0]).toMatchObject({ left: 0 })
})
