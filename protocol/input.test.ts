import { expect, test } from 'bun:test'
import * as v from 'valibot'
import { checkInput } from './input.ts'
import type { TensorSpec } from './manifest.ts'
import { Manifest } from './manifest.ts'

const manifest = (engine: string, inputs: TensorSpec[] = []) =>
  v.parse(Manifest, {
    name: 'm',
    version: '1',
    engine,
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }],
    inputs,
    limits: { timeoutMs: 1_000, maxBatch: 1, concurrency: 1 },
  })

const iris = manifest('tensor', [{ name: 'features', datatype: 'FP32', shape: [4] }])
const half = manifest('tensor', [{ name: 'x', datatype: 'FP16', shape: [] }])
const wide = manifest('tensor', [
  { name: 'ids', datatype: 'INT64', shape: [-1, 2] },
  { name: 'scale', datatype: 'FP64', shape: [] },
])

test('inputs that fit pass', () => {
  checkInput(iris, { features: [5.1, 3.5, 1.4, 0.2] })
  checkInput(wide, {
    ids: [
      [1, 2],
      ['9223372036854775807', 4],
    ],
    scale: 2,
  })
  checkInput(wide, { ids: [], scale: 2 })
  checkInput(iris, { features: [3.4e38, -3.4e38, 1e-300, 0] })
  checkInput(half, { x: 65_504 })
  checkInput(manifest('text-classification'), 'fine')
})

test.each([
  ['no object', iris, [1, 2], 'input: expected an object with "features"'],
  ['a missing input', iris, {}, 'input.features: missing'],
  ['an unknown input', iris, { features: [1, 2, 3, 4], feature: 1 }, 'input.feature: unknown'],
  ['too few values', iris, { features: [1, 2, 3] }, 'expected shape [4], found 3 values at depth 1'],
  ['a string among numbers', iris, { features: [1, 2, 3, 'x'] }, 'expected FP32 values'],
  ['NaN by way of null', iris, { features: [1, 2, 3, null] }, 'expected FP32 values'],
  ['what FP32 holds as infinity', iris, { features: [1, 2, 3, 1e300] }, 'expected FP32 values'],
  ['what FP16 holds as infinity', half, { x: 1e6 }, 'expected FP16 values'],
  ['a ragged edge', wide, { ids: [[1, 2], [3]], scale: 1 }, 'found 1 values at depth 2'],
  ['a fraction for an integer', wide, { ids: [[1, 2.5]], scale: 1 }, 'expected INT64 values'],
  ['more than 64 bits', wide, { ids: [[1, '9223372036854775808']], scale: 1 }, 'expected INT64 values'],
  ['a number for a text', manifest('text-generation'), 1, 'input: expected a string'],
  ['an empty text', manifest('text-generation'), '', 'not empty'],
])('%s is refused by path and rule', (_what, model, input, detail) => {
  expect(() => checkInput(model, input)).toThrow(detail)
})

test('a name that every object has is no input', () => {
  const odd = manifest('tensor', [{ name: 'toString', datatype: 'FP32', shape: [] }])
  expect(() => checkInput(odd, {})).toThrow('input.toString: missing')
})
