import { expect, test } from 'bun:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { Pace } from './pace.ts'

const never = new AbortController().signal

test('tokens are let through by a schedule, and one that is late does not delay the next', async () => {
  const clock = new ManualClock(0)
  const pace = new Pace(clock, 10)
  const passed: number[] = []
  const pass = () => pace.next(never).then(() => passed.push(clock.now()))
  await pass()
  const second = pass()
  await clock.advance(100)
  await second
  await clock.advance(150) // the third is made late
  await pass()
  const fourth = pass()
  await clock.advance(50)
  await fourth
  expect(passed).toEqual([0, 100, 250, 300])
})

test('without a pace nothing waits, and no timer is set', async () => {
  const clock = new ManualClock(0)
  const pace = new Pace(clock, 0)
  for (let token = 0; token < 5; token++) await pace.next(never)
  expect(clock.timers).toBe(0)
})

test('an abort ends the wait at once, also one that came before it', async () => {
  const clock = new ManualClock(0)
  const pace = new Pace(clock, 1)
  await pace.next(never)
  const abort = new AbortController()
  const waiting = pace.next(abort.signal).catch((error) => error.name)
  abort.abort()
  expect(await waiting).toBe('AbortError')
  expect(await pace.next(abort.signal).catch((error) => error.name)).toBe('AbortError')
  expect(clock.timers).toBe(0)
})
