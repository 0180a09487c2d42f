import { expect, test } from 'bun:test'
import { ProblemError } from '@oriel/protocol/problem'
import { deriveManifest } from './derived-manifest.ts'
import type { GraphPort } from './graph-signature.ts'

const port = (name: string, shape: (number | string)[], datatype: GraphPort['datatype'] = 'FP32'): GraphPort => ({
  name,
  datatype,
  shape,
})
const derive = (inputs: GraphPort[], outputs: GraphPort[], maxBatch = 32) =>
  deriveManifest({
    name: 'm',
    version: '1',
    files: [],
    signature: { inputs, outputs },
    maxBatch,
    timeoutMs: 1_000,
    hangMs: 500,
  })

test('a symbolic first dimension that all share is the batch, and is not part of an item', () => {
  const { limits, inputs, outputs } = derive(
    [port('a', ['N', 4]), port('b', ['N'], 'INT64')],
    [port('y', ['N', 3]), port('z', ['M'], 'BYTES')],
  )
  expect([limits.maxBatch, limits.hangMs]).toEqual([32, 500])
  expect(inputs).toEqual([
    { name: 'a', datatype: 'FP32', shape: [4] },
    { name: 'b', datatype: 'INT64', shape: [] },
  ])
  expect(outputs).toEqual([
    { name: 'y', datatype: 'FP32', shape: [3] },
    { name: 'z', datatype: 'BYTES', shape: [] },
  ])
})

test.each<[what: string, inputs: GraphPort[], outputs: GraphPort[], maxBatch: number]>([
  ['a fixed first dimension', [port('a', [1, 4])], [port('y', ['N', 3])], 32],
  ['an output that is not by row', [port('a', ['N', 4])], [port('y', ['N', 3]), port('mean', [3])], 32],
  ['an output that is a scalar', [port('a', ['N', 4])], [port('y', [])], 32],
  ['inputs with first dimensions of their own', [port('a', ['N', 4]), port('b', ['M', 4])], [port('y', ['N'])], 32],
  ['no inputs', [], [port('y', ['N'])], 32],
  ['batching turned off', [port('a', ['N', 4])], [port('y', ['N'])], 0],
])('with %s nothing is batched, and shapes are the graph’s own', (_what, inputs, outputs, maxBatch) => {
  const manifest = derive(inputs, outputs, maxBatch)
  expect(manifest.limits.maxBatch).toBe(0)
  const sizes = (ports: readonly { shape: readonly (number | string)[] }[]) =>
    ports.map(({ shape }) => shape.map((size) => (typeof size === 'string' ? -1 : size)))
  expect(sizes(manifest.inputs)).toEqual(sizes(inputs))
  expect(sizes(manifest.outputs)).toEqual(sizes(outputs))
})

test('an output that is no tensor is left out, and an input that is none is a problem', () => {
  const strange = port('z', [], null)
  expect(derive([port('a', ['N', 4])], [port('y', ['N']), strange]).outputs.map(({ name }) => name)).toEqual(['y'])
  expect(() => derive([port('a', [4]), strange], [port('y', [1])])).toThrow(ProblemError)
  expect(() => derive([port('a', [4])], [strange])).toThrow('no output that is a tensor')
})
