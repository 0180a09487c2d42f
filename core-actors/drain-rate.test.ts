import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { drainRate, retryAfterMs, roomAt, type Sample, sampled } from './drain-rate.ts'

const samplesOf = (perSecond: number, seconds: number): readonly Sample[] => {
  let samples: readonly Sample[] = []
  for (let at = 0; at <= seconds * 1000; at += 500)
    samples = sampled(samples, { at, delivered: (at / 1000) * perSecond })
  return samples
}

test('the rate is that of the last seconds', () => {
  expect(drainRate(samplesOf(20, 60), 60_000)).toBe(20)
  expect(samplesOf(20, 3600).length).toBeLessThan(40)
})

test('too short a look tells no rate, nor does one from long ago', () => {
  expect(drainRate([], 0)).toBeUndefined()
  expect(drainRate(samplesOf(20, 2), 2_000)).toBeUndefined()
  expect(drainRate(samplesOf(20, 10), 60_000)).toBeUndefined()
})

test('a consumer that was made anew is not one that runs backwards', () => {
  expect(sampled(samplesOf(20, 10), { at: 10_500, delivered: 3 })).toEqual([{ at: 10_500, delivered: 3 }])
})

/** What each of `count` who are refused at `now` is told, ms. */
function told(rate: number | undefined, count: number, now = 1_000): number[] {
  let promisedAt = 0
  return Array.from({ length: count }, () => {
    promisedAt = roomAt(rate, promisedAt, now)
    return retryAfterMs(promisedAt, now)
  })
}

test('those who are refused come back one after the other, as room comes', () => {
  expect(told(1, 3)).toEqual([1_000, 2_000, 3_000])
  expect(told(10, 40).slice(-2)).toEqual([3_900, 4_000])
})

test('at least a second, at most a minute; a minute when nobody takes anything', () => {
  expect(told(1_000, 1)).toEqual([1_000])
  expect(told(0.001, 1)).toEqual([60_000])
  expect(told(0, 2)).toEqual([60_000, 60_000])
  fc.assert(
    fc.property(
      fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
      fc.nat(200),
      (rate, count) => told(rate, count + 1).every((ms) => ms >= 1_000 && ms <= 60_000),
    ),
  )
})

test('a promise is forgotten when its time has come', () => {
  expect(retryAfterMs(roomAt(2, 5_000, 10_000), 10_000)).toBe(1_000)
})
