import { expect, test } from 'bun:test'
import { respawnDelay, silenceLimit } from './host-limits.ts'

test('a host is replaced at once, and ever more slowly when it keeps dying young', () => {
  const delays: number[] = []
  let deaths = 0
  for (let index = 0; index < 10; index++) {
    const next = respawnDelay(200, deaths)
    delays.push(next.delayMs)
    deaths = next.quickDeaths
  }
  expect(delays).toEqual([0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
  expect(respawnDelay(60_000, deaths)).toEqual({ delayMs: 0, quickDeaths: 0 })
})

test('a host may be silent for as long as the model it is busy with, and briefly when it is idle', () => {
  expect(silenceLimit(true, 30_000)).toBe(30_000)
  expect(silenceLimit(true, 2_000)).toBe(2_000)
  expect(silenceLimit(true, undefined)).toBe(10_000)
  expect(silenceLimit(false, 2_000)).toBe(60_000)
})
