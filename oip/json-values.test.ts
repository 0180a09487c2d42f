import { expect, test } from 'bun:test'
import { DATATYPES } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import { fits } from '@oriel/protocol/range'
import fc from 'fast-check'
import { valuesOfJson } from './json-values.ts'

const edges = [7, 8, 15, 16, 31, 32, 53, 63, 64].flatMap((bits) =>
  [-1, 0, 1].flatMap((off) => [2 ** bits + off, -(2 ** bits) + off, String(2n ** BigInt(bits) + BigInt(off))]),
)
const value = fc.oneof(
  fc.constantFrom(...edges, 65_504, 65_519, 65_520, 3.4028235e38, 3.4028236e38, 1e300, -0, 0.5, '\ud800', null, []),
  fc.double({ noDefaultInfinity: true, noNaN: true }),
  fc.integer(),
  fc.boolean(),
  // The words for NaN and the infinities are this protocol's alone.
  fc.string({ unit: 'binary' }).filter((text) => !/^(NaN|-?Infinity)$/.test(text)),
)

test('a value is one of its datatype here exactly when the plain form takes it', () => {
  fc.assert(
    fc.property(fc.constantFrom(...DATATYPES), value, (datatype, value) => {
      expect(isTaken(() => valuesOfJson('x', datatype, [1], [value]))).toBe(fits(datatype, value))
    }),
    { numRuns: 5_000 },
  )
})

function isTaken(action: () => unknown): boolean {
  try {
    action()
    return true
  } catch (error) {
    if (error instanceof ProblemError) return false
    throw error
  }
}
