import { expect, test } from 'bun:test'
import { GRAPHS, perceptron } from '../graphs.ts'
import { rightAnswer, rowFor } from './right-answer.ts'

test('layers are multiplied, added to and cut off at 0, but for the last', () => {
  const [w0, b0, w1, b1] = (perceptron(GRAPHS.tiny).weights ?? []).map(({ values }) => values as Float32Array)
  const row = rowFor('tiny')
  const hidden = Array.from({ length: 16 }, (_, to) => {
    let sum = b0?.[to] ?? Number.NaN
    for (let from = 0; from < 4; from++) sum += (row[from] ?? Number.NaN) * (w0?.[from * 16 + to] ?? Number.NaN)
    return Math.max(sum, 0)
  })
  const expected = [0, 1, 2].map((to) =>
    hidden.reduce((sum, value, from) => sum + value * (w1?.[from * 3 + to] ?? Number.NaN), b1?.[to] ?? Number.NaN),
  )
  const found = rightAnswer('tiny', row)
  expect(found).toHaveLength(3)
  for (const [index, value] of expected.entries()) expect(found[index]).toBeCloseTo(value, 12)
  expect(found.some((value) => value < 0)).toBe(true)
})
