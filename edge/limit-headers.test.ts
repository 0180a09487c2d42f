import { expect, test } from 'bun:test'
import { EMPTY_METER, spend, usageOf } from '@oriel/core-actors/limits'
import { limitHeaders } from './limit-headers.ts'

test('what the limits are and what is left of them, as structured fields', () => {
  const limits = { rate: { perSecond: 10, burst: 100 }, concurrent: 5, bytesPerDay: 1_000 }
  const now = Date.UTC(2026, 10, 21, 23, 59)
  const meter = spend(EMPTY_METER, limits, 40, now)
  expect(limitHeaders(usageOf(meter, limits, 2, now))).toEqual({
    'RateLimit-Policy':
      '"rate";q=100;w=10, "concurrent";q=5;qu="concurrent-requests", "bytes";q=1000;qu="content-bytes";w=86400',
    RateLimit: '"rate";r=99;t=1, "concurrent";r=3, "bytes";r=960;t=60',
  })
})

test('the limits of a key have names of their own, and those that it has not are not there', () => {
  const usage = usageOf(EMPTY_METER, { concurrent: 2 }, 1, 0).map((limit) => ({ ...limit, whose: 'key' as const }))
  expect(limitHeaders(usage)).toEqual({
    'RateLimit-Policy': '"key-concurrent";q=2;qu="concurrent-requests"',
    RateLimit: '"key-concurrent";r=1',
  })
})

test('nothing is said of limits that nobody was asked for', () => {
  expect(limitHeaders(undefined)).toEqual({})
})
