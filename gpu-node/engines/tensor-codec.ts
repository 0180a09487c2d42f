import type { Datatype, TensorSpec } from '@oriel/protocol/manifest'
import { Tensor } from 'onnxruntime-node'

export const ORT_TYPES = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Record<Datatype, Tensor.Type>

const ARRAYS = {
  BOOL: (values: readonly unknown[]) => Uint8Array.from(values, Number),
  UINT8: (values: readonly unknown[]) => Uint8Array.from(values, Number),
  UINT16: (values: readonly unknown[]) => Uint16Array.from(values, Number),
  UINT32: (values: readonly unknown[]) => Uint32Array.from(values, Number),
  UINT64: (values: readonly unknown[]) => BigUint64Array.from(values, toBigInt),
  INT8: (values: readonly unknown[]) => Int8Array.from(values, Number),
  INT16: (values: readonly unknown[]) => Int16Array.from(values, Number),
  INT32: (values: readonly unknown[]) => Int32Array.from(values, Number),
  INT64: (values: readonly unknown[]) => BigInt64Array.from(values, toBigInt),
  FP16: (values: readonly unknown[]) => Float16Array.from(values, Number),
  FP32: (values: readonly unknown[]) => Float32Array.from(values, Number),
  FP64: (values: readonly unknown[]) => Float64Array.from(values, Number),
  BYTES: (values: readonly unknown[]) => values.map(String),
} as const satisfies Record<Datatype, unknown>

/**
 * One item, nested arrays that `checkInput` has passed, as a tensor.
 * @param batched whether the graph has a batch dimension in front, here of one row
 */
export function encode(spec: TensorSpec, item: unknown, batched: boolean): Tensor {
  const dims: number[] = batched ? [1] : []
  let probe = item
  for (const size of spec.shape) {
    const found = Array.isArray(probe) ? probe.length : 0
    dims.push(size === -1 ? found : size)
    probe = Array.isArray(probe) ? probe[0] : undefined
  }
  const values = Array.isArray(item) ? item.flat(spec.shape.length) : [item]
  return newTensor(ORT_TYPES[spec.datatype], ARRAYS[spec.datatype](values), dims)
}

/** A tensor over `data`, whose kind is the one that the runtime wants for the type: a Float16Array for float16. */
export function newTensor(type: Tensor.Type, data: Tensor.DataType | Float16Array, dims: readonly number[]): Tensor {
  // The constructor's overloads tie each type to its array, which a table cannot show to the compiler.
  const tensor = new Tensor(type as 'float32', data as Float32Array, dims)
  if (!(data instanceof Float16Array)) return tensor
  // Node-API has no name for a Float16Array, and the native side finds it empty; the same bits as uint16 it takes.
  const bits = new Uint16Array(data.buffer, data.byteOffset, data.length)
  return Object.defineProperty(tensor, 'data', { value: bits })
}

/**
 * A tensor as JSON: nested arrays, a bare value for a scalar. JSON has no word for NaN and the infinities: they are
 * `null`. A 64-bit integer is a number where a double holds it exactly, else a decimal string.
 * @param batched whether the first dimension is a batch of one row, which is taken off
 */
export function decode(tensor: Tensor, batched: boolean): unknown {
  const dims = batched ? tensor.dims.slice(1) : tensor.dims
  const data = tensor.data as ArrayLike<unknown>
  const value = tensor.type === 'bool' ? Boolean : toJson
  let at = 0
  const build = (depth: number): unknown =>
    depth === dims.length ? value(data[at++]) : Array.from({ length: dims[depth] ?? 0 }, () => build(depth + 1))
  return build(0)
}

function toJson(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

function toBigInt(value: unknown): bigint {
  if (typeof value === 'number' || typeof value === 'string') return BigInt(value)
  throw new TypeError('not an integer')
}
