import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Element, GraphDef } from '@oriel/gpu-node/engines/testing/onnx-bytes'
import { onnxBytes } from '@oriel/gpu-node/engines/testing/onnx-bytes'
import type { Datatype } from '@oriel/protocol/manifest'

const ELEMENTS: Readonly<Record<Datatype, Element>> = {
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
}

/** The name of the model that answers its input X as Y, both [rows, any size], in this datatype. */
export const identityOf = (datatype: Datatype): string => `identity_${datatype.toLowerCase()}`

const identity = (type: Element): GraphDef => ({
  inputs: [{ name: 'X', type, shape: ['rows', 'size'] }],
  outputs: [{ name: 'Y', type, shape: ['rows', 'size'] }],
  nodes: [{ op: 'Identity', inputs: ['X'], outputs: ['Y'] }],
})

/** Triton's first example; version 2 has its outputs the other way round. */
const simple = (sum: string, difference: string): GraphDef => {
  const port = (name: string) => ({ name, type: 'int32' as const, shape: ['rows', 16] })
  return {
    inputs: [port('INPUT0'), port('INPUT1')],
    outputs: [port('OUTPUT0'), port('OUTPUT1')],
    nodes: [
      { op: 'Add', inputs: ['INPUT0', 'INPUT1'], outputs: [sum] },
      { op: 'Sub', inputs: ['INPUT0', 'INPUT1'], outputs: [difference] },
    ],
  }
}

/** One tensor in and one out, FP32 [2, 3], without a batch dimension. */
const unary = (op: string): GraphDef => ({
  inputs: [{ name: 'X', type: 'float32', shape: [2, 3] }],
  outputs: [{ name: 'Y', type: 'float32', shape: [2, 3] }],
  nodes: [{ op, inputs: ['X'], outputs: ['Y'] }],
})

const MODELS: Readonly<Record<string, Readonly<Record<string, GraphDef>>>> = {
  ...Object.fromEntries(
    Object.entries(ELEMENTS).map(([datatype, element]) => [identityOf(datatype as Datatype), { 1: identity(element) }]),
  ),
  simple: { 1: simple('OUTPUT0', 'OUTPUT1'), 2: simple('OUTPUT1', 'OUTPUT0') },
  fixed: { 1: unary('Neg') },
  sqrt: { 1: unary('Sqrt') },
}

/** The models that the contract asks of a server, as `<root>/<name>/<version>/model.onnx`. */
export function writeContractModels(root: string): void {
  for (const [name, versions] of Object.entries(MODELS)) {
    for (const [version, graph] of Object.entries(versions)) {
      const dir = join(root, name, version)
      mkdirSync(dir, { recursive: true })
      writeFileSync(join(dir, 'model.onnx'), onnxBytes(graph))
    }
  }
}
