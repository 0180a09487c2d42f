import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { GatherWindow } from './gather-window.ts'

/** One that knows that a run costs 4 ms and 1 ms a row. */
function learned(maxDelayMs = 10) {
  const window = new GatherWindow(maxDelayMs)
  for (const rows of [1, 1, 2, 8, 4, 1, 2, 8, 4]) window.ended(rows, 4 + rows, 0, 64)
  return window
}

test('after one request alone nobody is waited for', () => {
  expect(learned().ended(1, 5, 0, 64)).toBeUndefined()
})

test('after several, those are waited for who were answered, beside those who wait', () => {
  expect(learned().ended(5, 9, 3, 64)?.rows).toBe(8)
  expect(learned().ended(5, 9, 3, 6)?.rows).toBe(6)
})

test('with a batch full already there is nothing to wait for', () => {
  expect(learned().ended(8, 12, 8, 8)).toBeUndefined()
})

test('it is never longer than what it may save, nor than the manifest allows', () => {
  const steps = fc.array(
    fc.record({ rows: fc.integer({ min: 1, max: 32 }), waiting: fc.nat(32), share: fc.double({ min: 0, max: 1 }) }),
  )
  fc.assert(
    fc.property(steps, fc.double({ min: 0, max: 6, noNaN: true }), (all, maxDelayMs) => {
      const window = learned(maxDelayMs)
      for (const { rows, waiting, share } of all) {
        const gathering = window.ended(rows, 4 + rows, waiting, 32)
        if (!gathering) continue
        expect(gathering.ms).toBeLessThanOrEqual(Math.min(maxDelayMs, window.durations.fixedMs))
        expect(gathering.rows).toBeGreaterThan(waiting)
        window.gathered(share)
      }
    }),
  )
})

test('callers who do not come back make it shorter, and those who do make it long again', () => {
  const window = learned()
  const ms = () => window.ended(4, 8, 0, 64)?.ms ?? 0
  const first = ms()
  for (let time = 0; time < 30; time++) window.gathered(0)
  const mistrusted = ms()
  expect(mistrusted).toBeLessThan(first / 5)
  for (let time = 0; time < 30; time++) window.gathered(1)
  expect(ms()).toBeGreaterThan(first)
})
