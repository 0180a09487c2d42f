import type { Datatype } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import type { NamedTensor, TensorValues } from '@oriel/protocol/tensor'
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

const DATATYPES = new Map(Object.entries(ORT_TYPES).map(([datatype, type]) => [type as string, datatype as Datatype]))

export const toOrt = ({ datatype, shape, values }: NamedTensor): Tensor =>
  newTensor(ORT_TYPES[datatype], values as Tensor.DataType, shape)

/** @throws ProblemError inference-failed: of a type that no protocol has a word for */
export function fromOrt(name: string, tensor: Tensor): NamedTensor {
  const datatype = DATATYPES.get(tensor.type)
  if (!datatype) {
    throw new ProblemError({ kind: 'inference-failed', detail: `output "${name}" is of type ${tensor.type}.` })
  }
  return { name, datatype, shape: tensor.dims, values: tensor.data as TensorValues }
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
