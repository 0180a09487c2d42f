import { expect, test } from 'bun:test'
import { Manifest, type ManifestInput } from '@oriel/protocol/manifest'
import type { NamedTensor } from '@oriel/protocol/tensor'
import * as v from 'valibot'
import { requestCheck } from './model-request.ts'

const manifest = (fields: Partial<ManifestInput>, maxBatch = 4) =>
  v.parse(Manifest, {
    name: 'm',
    version: '1',
    engine: 'tensor',
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }],
    limits: { timeoutMs: 1_000, maxBatch, concurrency: 1 },
    ...fields,
  })

const a = (
  shape: number[],
  values = new Float32Array(shape.reduce((count, size) => count * size, 1)),
): NamedTensor => ({
  name: 'a',
  datatype: 'FP32',
  shape,
  values,
})
const ids = (shape: number[]): NamedTensor => ({
  name: 'ids',
  datatype: 'INT64',
  shape,
  values: new BigInt64Array(shape.reduce((count, size) => count * size, 1)),
})
const two = manifest({
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [3], finite: true },
    { name: 'ids', datatype: 'INT64', shape: [-1, 2] },
  ],
  outputs: [
    { name: 'y', datatype: 'FP32', shape: [] },
    { name: 'z', datatype: 'FP32', shape: [] },
  ],
})

test('inputs come in the order of the signature, whatever order they were sent in', () => {
  const request = requestCheck(two)([ids([2, 5, 2]), a([2, 3])], undefined)
  expect(request.inputs.map(({ name }) => name)).toEqual(['a', 'ids'])
  expect(request.rows).toBe(2)
})

test('requests of one shape and one wish for outputs are of one group', () => {
  const check = requestCheck(two)
  const group = (rows: number, length: number, outputs?: string[]) =>
    check([a([rows, 3]), ids([rows, length, 2])], outputs).group
  expect(group(1, 5)).toBe(group(4, 5))
  expect(group(1, 5)).not.toBe(group(1, 6))
  expect(group(1, 5)).not.toBe(group(1, 5, ['y']))
  expect(group(2, 5, ['y'])).toBe(group(3, 5, ['y']))
})

test('without a batch dimension shapes are those of the manifest, and a request is one row', () => {
  const scalar = manifest({ inputs: [{ name: 'a', datatype: 'FP32', shape: [] }] }, 0)
  expect(requestCheck(scalar)([a([])], undefined).rows).toBe(1)
  expect(() => requestCheck(scalar)([a([1])], undefined)).toThrow('shape [1], expected []')
})

test('a text classifier takes one text a row', () => {
  const texts = (datatype: 'BYTES' | 'FP32'): NamedTensor => ({
    name: 'text',
    datatype,
    shape: [2],
    values: ['a', 'b'],
  })
  const check = requestCheck(manifest({ engine: 'text-classification' }))
  expect(check([texts('BYTES')], ['label']).rows).toBe(2)
  expect(() => check([texts('FP32')], undefined)).toThrow('expected BYTES')
  expect(() => check([texts('BYTES')], ['nothing'])).toThrow('output "nothing": unknown')
})

test.each<[what: string, inputs: NamedTensor[], outputs: string[] | undefined, rule: string]>([
  ['a missing input', [a([1, 3])], undefined, 'input "ids": missing'],
  ['an unknown input', [a([1, 3]), ids([1, 1, 2]), { ...a([1, 3]), name: 'b' }], undefined, 'input "b": unknown'],
  ['an input given twice', [a([1, 3]), a([1, 3]), ids([1, 1, 2])], undefined, 'given twice'],
  ['another type', [{ ...ids([1, 3]), name: 'a' }, ids([1, 1, 2])], undefined, '"a": INT64, expected FP32'],
  ['another width', [a([1, 4]), ids([1, 1, 2])], undefined, 'shape [1, 4], expected [1, 3]'],
  ['another rank', [a([3]), ids([1, 1, 2])], undefined, 'shape [3], expected [3, 3]'],
  ['rows that do not agree', [a([2, 3]), ids([1, 1, 2])], undefined, 'shape [1, 1, 2], expected [2, -1, 2]'],
  ['no rows', [a([0, 3]), ids([0, 1, 2])], undefined, '0 rows; the model takes 1 to 4'],
  ['more rows than the model takes', [a([5, 3]), ids([5, 1, 2])], undefined, '5 rows; the model takes 1 to 4'],
  ['a million rows', [a([1e6, 3], new Float32Array()), ids([1, 1, 2])], undefined, '1000000 rows'],
  ['huge shapes with little data', [a([1, 3]), { ...ids([1, 1, 2]), shape: [1, 2 ** 50, 2] }], undefined, '2 values'],
  ['a negative size', [a([1, 3]), { ...ids([1, 1, 2]), shape: [1, -1, 2] }], undefined, 'expected [1, -1, 2]'],
  ['NaN where it is forbidden', [a([1, 3], Float32Array.of(1, Number.NaN, 2)), ids([1, 1, 2])], undefined, 'finite'],
  ['an unknown output', [a([1, 3]), ids([1, 1, 2])], ['y', 'q'], 'output "q": unknown; the model gives "y", "z"'],
])('%s is refused by name and rule', (_what, inputs, outputs, rule) => {
  expect(() => requestCheck(two)(inputs, outputs)).toThrow(rule)
})

test('a model that answers with a stream takes no tensors', () => {
  expect(() => requestCheck(manifest({ engine: 'text-generation' }))([], undefined)).toThrow('stream')
})
