import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { DurationModel } from './duration-model.ts'

test('the fixed cost of a run is told from batches of several sizes', () => {
  const cost = fc.record({
    fixed: fc.double({ min: 0.1, max: 50, noNaN: true }),
    perRow: fc.double({ min: 0.01, max: 5, noNaN: true }),
    sizes: fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 30, maxLength: 60 }),
  })
  fc.assert(
    fc.property(cost, ({ fixed, perRow, sizes }) => {
      const model = new DurationModel()
      for (const rows of [1, 8, ...sizes, 1, 8]) model.learn(rows, fixed + perRow * rows)
      expect(model.fixedMs).toBeCloseTo(fixed, 3)
      expect(model.predict(100)).toBeCloseTo(fixed + perRow * 100, 2)
    }),
  )
})

test('from batches of one size nothing is told, and what was learned before stays', () => {
  const model = new DurationModel()
  for (let time = 0; time < 10; time++) model.learn(1, 3)
  expect(model.fixedMs).toBe(0)
  for (const rows of [1, 2, 4, 8]) model.learn(rows, 2 + rows)
  const learned = model.fixedMs
  expect(learned).toBeGreaterThan(1)
  for (let time = 0; time < 500; time++) model.learn(4, 6)
  expect(model.fixedMs).toBeGreaterThan(0)
})

test('the first run, which may have loaded the model, and one that met something else do not count for much', () => {
  const model = new DurationModel()
  model.learn(1, 5_000)
  for (let time = 0; time < 20; time++) model.learn(1 + (time % 4), 1 + (time % 4))
  model.learn(2, 60_000)
  expect(model.predict(2)).toBeLessThan(4)
})
