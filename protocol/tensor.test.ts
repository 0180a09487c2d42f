import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { DATATYPES, type Datatype } from './manifest.ts'
import {
  ARRAYS,
  bytesOfValues,
  bytesPerValue,
  concatRows,
  countOf,
  type NamedTensor,
  newValues,
  sliceRows,
  valuesOfBytes,
} from './tensor.ts'

const numbered = (datatype: Datatype, shape: readonly number[], first = 0): NamedTensor => {
  const values = newValues(datatype, countOf(shape))
  for (let i = 0; i < values.length; i++) {
    const value = (first + i) % 100
    if (Array.isArray(values)) values[i] = String(value)
    else if (values instanceof BigInt64Array || values instanceof BigUint64Array) values[i] = BigInt(value)
    else values[i] = value
  }
  return { name: 'x', datatype, shape, values }
}

test.each([...DATATYPES])('rows of %s put together come apart again', (datatype) => {
  const batches = fc.record({
    rows: fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }),
    row: fc.array(fc.nat(3), { maxLength: 2 }),
  })
  fc.assert(
    fc.property(batches, ({ rows, row }) => {
      const parts = rows.map((count, index) => numbered(datatype, [count, ...row], index * 7))
      const whole = concatRows(parts)
      expect(whole.shape).toEqual([rows.reduce((sum, count) => sum + count, 0), ...row])
      expect(whole.values).toHaveLength(countOf(whole.shape))
      let at = 0
      for (const part of parts) {
        const [count = 0] = part.shape
        expect(sliceRows(whole, at, at + count)).toEqual(part)
        at += count
      }
    }),
    { numRuns: 30 },
  )
})

test.each(DATATYPES.filter((datatype) => datatype !== 'BYTES'))('%s goes through bytes at any offset', (datatype) => {
  const { values } = numbered(datatype, [5])
  if (Array.isArray(values)) throw new Error('text has no bytes')
  const bytes = bytesOfValues(values as Float32Array)
  expect(bytes.byteLength).toBe(5 * bytesPerValue(datatype))
  for (const offset of [0, 1, 3, 8]) {
    const within = new Uint8Array(offset + bytes.length)
    within.set(bytes, offset)
    const again = valuesOfBytes(datatype, within.subarray(offset))
    expect(again).toBeInstanceOf(ARRAYS[datatype])
    expect(again).toEqual(values)
  }
})

test('a scalar has one value, and an empty dimension none', () => {
  expect(countOf([])).toBe(1)
  expect(countOf([4, 0, 3])).toBe(0)
})

test('values are read wherever their bytes stand, also in a Buffer', () => {
  const values = Float32Array.from([1.5, -2])
  const around = Buffer.concat([Buffer.from([7]), bytesOfValues(values)])
  expect(valuesOfBytes('FP32', around.subarray(1))).toEqual(values)
})
