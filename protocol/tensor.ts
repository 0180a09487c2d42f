import type { Datatype } from './manifest.ts'

/** Row-major. BOOL is 0 and 1 in a Uint8Array; BYTES, which is text, an array of strings. */
export type TensorValues =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float16Array
  | Float32Array
  | Float64Array
  | readonly string[]

/** A tensor with its name, as it goes between a protocol's codec, the batcher and the engines. */
export interface NamedTensor {
  readonly name: string
  readonly datatype: Datatype
  /** No size is negative; [] is a scalar. With the batch dimension in front where the model has one. */
  readonly shape: readonly number[]
  /** Of the array that `ARRAYS` names for the datatype, as many as the shape says. */
  readonly values: TensorValues
}

/** The array of every datatype but BYTES. */
export const ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Float16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Record<Exclude<Datatype, 'BYTES'>, unknown>

/** Bytes of one value; 0 for BYTES, where every value has its own length. */
export const bytesPerValue = (datatype: Datatype): number =>
  datatype === 'BYTES' ? 0 : ARRAYS[datatype].BYTES_PER_ELEMENT

/** How many values a tensor of this shape has. It may be more than a double holds exactly, but never fewer than true. */
export function countOf(shape: readonly number[]): number {
  let count = 1
  for (const size of shape) count *= size
  return count
}

/** Zeros, or empty strings. */
export const newValues = (datatype: Datatype, count: number): Exclude<TensorValues, readonly string[]> | string[] =>
  datatype === 'BYTES' ? new Array<string>(count).fill('') : new ARRAYS[datatype](count)

/**
 * Values out of their little-endian bytes: over the same memory where it is aligned, else over a copy.
 * @param bytes a whole number of values
 */
export function valuesOfBytes(datatype: Exclude<Datatype, 'BYTES'>, bytes: Uint8Array): TensorValues {
  const array = ARRAYS[datatype]
  // Not `slice`, which of a Buffer is no copy.
  const aligned = bytes.byteOffset % array.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes)
  return new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / array.BYTES_PER_ELEMENT)
}

/** The little-endian bytes of values, over the same memory. */
export const bytesOfValues = (values: Exclude<TensorValues, readonly string[]>): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

/** Rows `from` to `to` of a tensor with a batch dimension, over the same memory. */
export function sliceRows(tensor: NamedTensor, from: number, to: number): NamedTensor {
  const [rows = 0, ...row] = tensor.shape
  if (from === 0 && to === rows) return tensor
  const size = countOf(row)
  const { name, datatype, values } = tensor
  const part = isText(values) ? values.slice(from * size, to * size) : values.subarray(from * size, to * size)
  return { name, datatype, shape: [to - from, ...row], values: part }
}

/** The rows of several tensors of one name, datatype and row shape, one after another. */
export function concatRows(tensors: readonly NamedTensor[]): NamedTensor {
  const [first] = tensors
  if (!first) throw new RangeError('no tensors to put together')
  if (tensors.length === 1) return first
  const { name, datatype, shape } = first
  let rows = 0
  let count = 0
  for (const tensor of tensors) {
    rows += tensor.shape[0] ?? 0
    count += tensor.values.length
  }
  const values = newValues(datatype, count)
  let at = 0
  for (const tensor of tensors) {
    if (isText(values))
      for (const [index, text] of (tensor.values as readonly string[]).entries()) values[at + index] = text
    // Both are the array of the datatype, which a union cannot show to the compiler.
    else (values as Float32Array).set(tensor.values as Float32Array, at)
    at += tensor.values.length
  }
  return { name, datatype, shape: [rows, ...shape.slice(1)], values }
}

function isText(values: TensorValues): values is readonly string[]
function isText(values: Exclude<TensorValues, readonly string[]> | string[]): values is string[]
function isText(values: TensorValues): boolean {
  return Array.isArray(values)
}
