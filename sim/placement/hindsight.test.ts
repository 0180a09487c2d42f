import { expect, test } from 'bun:test'
import { hindsight } from './hindsight.ts'
import type { Workload } from './workload.ts'

const work = (bytes: number[], requests: [at: number, model: number][]): Workload => ({
  seconds: 100,
  bytes: Float64Array.from(bytes),
  since: new Float64Array(bytes.length),
  times: Float64Array.from(requests, ([at]) => at),
  models: Uint32Array.from(requests, ([, model]) => model),
  changes: [],
  before: new Float64Array(bytes.length),
})

test('the first request of each model is a miss, whatever the memory', () => {
  const requests: [number, number][] = [
    [0, 0],
    [1, 1],
    [2, 0],
    [3, 1],
  ]
  expect(hindsight(work([10, 20], requests), 1e9)).toEqual({ misses: 2, bytes: 30 })
})

test('without memory every request is a miss', () => {
  const requests: [number, number][] = [
    [0, 0],
    [1, 0],
    [2, 0],
  ]
  expect(hindsight(work([10], requests), 0)).toEqual({ misses: 3, bytes: 30 })
})

test('memory is spent on what is asked again soonest', () => {
  // Model 0 would need 10 bytes for 10 s, model 1 for 2 s: 40 byte seconds are enough for the second alone.
  const requests: [number, number][] = [
    [0, 0],
    [4, 1],
    [6, 1],
    [10, 0],
  ]
  expect(hindsight(work([10, 10], requests), 40)).toEqual({ misses: 3, bytes: 30 - 10 * (20 / 100) })
})
