/** The Open Inference Protocol's data types that ONNX Runtime can hold from JavaScript. */
export const DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
] as const // BYTES is a string tensor
export type Datatype = (typeof DATATYPES)[number]
