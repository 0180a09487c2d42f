import type { Datatype } from '@oriel/protocol/manifest'
import { INTEGER_RANGES, integerOf } from '@oriel/protocol/range'
import type { NamedTensor, TensorValues } from '@oriel/protocol/tensor'
import { ARRAYS, countOf } from '@oriel/protocol/tensor'
import { refuse } from './message.ts'

type Rows = readonly (readonly unknown[])[]
type IntegerArray = Uint8Array | Uint16Array | Uint32Array | Int8Array | Int16Array | Int32Array
type FloatArray = Float16Array | Float32Array | Float64Array

/**
 * The values of a tensor's `data`, flat or nested as its shape. Nothing is allocated by the shape before as many values
 * are known to be there.
 *
 * @throws ProblemError invalid-request, naming the tensor and the rule, never a value
 */
export function valuesOfJson(name: string, datatype: Datatype, shape: readonly number[], data: unknown): TensorValues {
  if (!Array.isArray(data)) wrong(name, '"data" must be an array')
  const rows = rowsOf(name, shape, data)
  const count = countOf(shape)
  switch (datatype) {
    case 'BYTES':
      return texts(name, rows)
    case 'BOOL':
      return booleans(name, new Uint8Array(count), rows)
    case 'INT64':
      return bigints(name, new BigInt64Array(count), rows, INTEGER_RANGES.INT64)
    case 'UINT64':
      return bigints(name, new BigUint64Array(count), rows, INTEGER_RANGES.UINT64)
    case 'FP16':
    case 'FP32':
    case 'FP64':
      return floats(name, datatype, new ARRAYS[datatype](count), rows)
    default:
      return integers(name, datatype, new ARRAYS[datatype](count), rows)
  }
}

/** The innermost arrays, in order; every array on the way has the length that the shape says. */
function rowsOf(name: string, shape: readonly number[], data: readonly unknown[]): Rows {
  if (shape.length < 2 || !Array.isArray(data[0])) {
    const count = countOf(shape)
    if (data.length !== count) wrong(name, `shape [${shape}] needs ${count} values, and "data" has ${data.length}`)
    return [data]
  }
  const rows: (readonly unknown[])[] = []
  const visit = (part: unknown, depth: number): void => {
    if (!Array.isArray(part) || part.length !== shape[depth]) {
      wrong(name, `"data" must be flat, or nested as the shape [${shape}] says`)
    }
    if (depth === shape.length - 1) rows.push(part)
    else for (const inner of part) visit(inner, depth + 1)
  }
  visit(data, 0)
  return rows
}

function integers(name: string, datatype: Datatype, values: IntegerArray, rows: Rows): IntegerArray {
  let at = 0
  for (const row of rows) {
    for (const value of row) {
      if (typeof value !== 'number') wrong(name, `expected ${datatype} values`)
      values[at] = value
      // What is a fraction or out of range comes back as another number.
      if (values[at++] !== value) wrong(name, `expected integers within ${datatype}`)
    }
  }
  return values
}

function bigints<A extends BigInt64Array | BigUint64Array>(
  name: string,
  values: A,
  rows: Rows,
  [low, high]: readonly [bigint, bigint],
): A {
  let at = 0
  for (const row of rows) {
    for (const value of row) {
      const exact = integerOf(value)
      if (exact === undefined || exact < low || exact > high) wrong(name, 'expected 64-bit integers within range')
      values[at++] = exact
    }
  }
  return values
}

function floats<A extends FloatArray>(name: string, datatype: Datatype, values: A, rows: Rows): A {
  let at = 0
  for (const row of rows) {
    for (const value of row) {
      if (typeof value === 'number') {
        values[at] = value
        if (!Number.isFinite(values[at++])) wrong(name, `a number is too large for ${datatype}`)
      } else values[at++] = unusual(name, value)
    }
  }
  return values
}

/** JSON has no word for these; the strings are those of the protobuf JSON mapping, which Python's float() reads too. */
const NAMED: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, '-Infinity': -Infinity }

function unusual(name: string, value: unknown): number {
  const named = typeof value === 'string' && Object.hasOwn(NAMED, value) ? NAMED[value] : undefined
  if (named !== undefined) return named
  if (typeof value === 'bigint') return Number(value)
  wrong(name, 'expected numbers, or the strings "NaN", "Infinity" and "-Infinity"')
}

function booleans(name: string, values: Uint8Array, rows: Rows): Uint8Array {
  let at = 0
  for (const row of rows) {
    for (const value of row) {
      if (typeof value !== 'boolean') wrong(name, 'expected true or false')
      values[at++] = value ? 1 : 0
    }
  }
  return values
}

function texts(name: string, rows: Rows): string[] {
  const values: string[] = []
  for (const row of rows) {
    for (const value of row) {
      if (typeof value !== 'string') wrong(name, 'expected strings')
      if (!value.isWellFormed()) wrong(name, 'a string has half a surrogate pair, which is no text')
      values.push(value)
    }
  }
  return values
}

/** Between the brackets of `"data":[…]`. */
export function jsonOfValues({ datatype, values }: NamedTensor): string {
  if (!ArrayBuffer.isView(values)) return values.map((text) => JSON.stringify(text)).join()
  if (datatype === 'BOOL') return Array.from(values as Uint8Array, (value) => (value ? 'true' : 'false')).join()
  if (values instanceof Float32Array || values instanceof Float64Array || values instanceof Float16Array) {
    return plain(values) ? values.join() : Array.from(values, floatText).join()
  }
  return values.join()
}

/** Whether String() writes every value so that JSON reads the same: not -0, NaN and the infinities. */
function plain(values: FloatArray): boolean {
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0
    if (value - value !== 0 || (value === 0 && 1 / value < 0)) return false
  }
  return true
}

const floatText = (value: number): string =>
  Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : `"${value}"`

function wrong(name: string, rule: string): never {
  refuse(`Tensor ${JSON.stringify(name)}: ${rule}.`)
}
