import { expect, test } from 'bun:test'
import { percentile, rate, table, time } from './result.ts'

test('a ratio above 1 is better than the limit, for rates and for times', () => {
  expect(rate('a', 'events/s', 200, 100).ratio).toBe(2)
  expect(time('b', 2, 4).ratio).toBe(2)
  expect(time('c', 2)).toEqual({ name: 'c', unit: 'ms', value: 2, limit: null, ratio: null })
})

test('percentiles are values that were measured', () => {
  expect(percentile([3, 1, 2], 0.5)).toBe(2)
  expect(percentile([3, 1, 2], 0.99)).toBe(3)
  expect(percentile([], 0.5)).toBeNaN()
})

test('the table has a line for each figure, in columns', () => {
  const lines = table([rate('events', 'events/s', 12_345, 50_000), time('p50', 1.234)]).split('\n')
  expect(lines[1]).toMatch(/^events +12,345 +events\/s +50,000 +0\.25$/)
  expect(lines[2]).toMatch(/^p50 +1\.23 +ms$/)
})
