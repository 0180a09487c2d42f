import type { Datatype } from './manifest.ts'
import { ARRAYS } from './tensor.ts'

type FloatType = 'FP16' | 'FP32' | 'FP64'
export type IntegerType = Exclude<Datatype, FloatType | 'BOOL' | 'BYTES'>

/** The least and the greatest of every integer type. */
export const INTEGER_RANGES = {
  INT8: [-(2n ** 7n), 2n ** 7n - 1n],
  INT16: [-(2n ** 15n), 2n ** 15n - 1n],
  INT32: [-(2n ** 31n), 2n ** 31n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT8: [0n, 2n ** 8n - 1n],
  UINT16: [0n, 2n ** 16n - 1n],
  UINT32: [0n, 2n ** 32n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
} as const satisfies Record<IntegerType, readonly [bigint, bigint]>

const DECIMAL = /^-?[0-9]{1,20}$/

/**
 * A 64-bit integer out of JSON: what was read exactly, a number that a double holds exactly, or a decimal string, for
 * writers whose numbers are doubles. Its range is still to be looked at.
 */
export function integerOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  return typeof value === 'string' && DECIMAL.test(value) ? BigInt(value) : undefined
}

/** Whether JSON's value is one of the datatype: not a fraction, out of range, or a number that would become infinite. */
export function fits(datatype: Datatype, value: unknown): boolean {
  switch (datatype) {
    case 'BOOL':
      return typeof value === 'boolean'
    case 'BYTES':
      return typeof value === 'string' && value.isWellFormed()
    case 'FP16':
    case 'FP32':
    case 'FP64':
      return typeof value === 'number' && Number.isFinite(rounded(datatype, value))
    case 'INT64':
    case 'UINT64':
      return isWithin(datatype, integerOf(value))
    default:
      return typeof value === 'number' && isWithin(datatype, integerOf(value))
  }
}

const isWithin = (datatype: IntegerType, value: bigint | undefined) =>
  value !== undefined && value >= INTEGER_RANGES[datatype][0] && value <= INTEGER_RANGES[datatype][1]

const PROBES = { FP16: new ARRAYS.FP16(1), FP32: new ARRAYS.FP32(1), FP64: new ARRAYS.FP64(1) }

/** As the array of the datatype will hold it: only the array knows from where on that is infinity. */
function rounded(datatype: FloatType, value: number): number {
  const probe = PROBES[datatype]
  probe[0] = value
  return probe[0] ?? Number.NaN
}
