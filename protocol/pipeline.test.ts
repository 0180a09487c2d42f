import { expect, test } from 'bun:test'
import * as v from 'valibot'
import { Manifest, type ManifestInput } from './manifest.ts'
import { pipelineFault } from './pipeline.ts'

type Stages = NonNullable<ManifestInput['stages']>

const manifest = (stages: Stages, fields: Partial<ManifestInput> = {}) =>
  v.parse(Manifest, {
    name: 'm',
    version: '1',
    engine: 'pipeline',
    files: ['model.onnx', 'tokenizer.json'].map((path) => ({ path, sha256: '0'.repeat(64), bytes: 1 })),
    inputs: [{ name: 'x', datatype: 'FP32', shape: [2] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [2] }],
    limits: { timeoutMs: 1_000, maxBatch: 8, concurrency: 1 },
    stages,
    ...fields,
  })

const softmax = (input: string, output: string) => ({ stage: 'softmax', input, output }) as const

test('a chain whose ends meet is fine', () => {
  const chain: Stages = [
    { stage: 'scale', input: 'x', output: 'scaled', subtract: [1, 2] },
    { stage: 'infer', graph: 'model.onnx', inputs: { a: 'scaled' }, outputs: { b: 'logits' } },
    softmax('logits', 'y'),
  ]
  expect(pipelineFault(manifest(chain))).toBeUndefined()
})

test.each<[what: string, stages: Stages, fields: Partial<ManifestInput>, fault: string]>([
  ['no stages', [], {}, 'stages: a pipeline needs at least one.'],
  ['no batch dimension', [softmax('x', 'y')], { limits: { timeoutMs: 1, maxBatch: 0, concurrency: 1 } }, 'maxBatch'],
  ['no outputs', [softmax('x', 'y')], { outputs: [] }, 'outputs: a pipeline must declare what it gives.'],
  ['a value from nowhere', [softmax('z', 'y')], {}, 'stage 1 (softmax): nothing before it makes "z"; there are "x".'],
  ['a value from later', [softmax('z', 'y'), softmax('x', 'z')], {}, 'stage 1 (softmax): nothing before it makes "z"'],
  ['a value made twice', [softmax('x', 'y'), softmax('x', 'y')], {}, 'stage 2 (softmax): "y" is there already'],
  ['an output that nobody makes', [softmax('x', 'z')], {}, 'outputs: no stage makes "y"; there are "x", "z".'],
  [
    'a graph that is not listed',
    [{ stage: 'infer', graph: 'a.onnx', inputs: { a: 'x' }, outputs: { b: 'y' } }],
    {},
    'stage 1 (infer): the manifest lists no file a.onnx.',
  ],
  [
    'a graph without inputs',
    [{ stage: 'infer', graph: 'model.onnx', inputs: {}, outputs: { b: 'y' } }],
    {},
    'at least one input',
  ],
  [
    'padding that neighbours decide',
    [{ stage: 'tokenize', input: 'x', outputs: { ids: 'y' } }],
    {},
    'without a mask among its outputs it needs maxLength',
  ],
  [
    'a weight too few',
    [softmax('x', 'z'), { stage: 'mean', inputs: ['x', 'z'], output: 'y', weights: [1] }],
    {},
    'stage 2 (mean): 1 weights for 2 inputs.',
  ],
  [
    'weights of nothing',
    [softmax('x', 'z'), { stage: 'vote', inputs: ['x', 'z'], output: 'y', weights: [0, 0] }],
    {},
    'all weights are 0',
  ],
  [
    'labels without a name',
    [{ stage: 'top-k', input: 'x', k: 1, labels: ['a', 'b'], outputs: { scores: 'y' } }],
    {},
    'come together',
  ],
  ['two unknown sizes', [{ stage: 'reshape', input: 'x', output: 'y', shape: [-1, -1] }], {}, 'more than one -1'],
  ['stages of another engine', [softmax('x', 'y')], { engine: 'tensor' }, 'only a pipeline has them'],
])('%s is refused by stage', (_what, stages, fields, fault) => {
  expect(pipelineFault(manifest(stages, fields))).toContain(fault)
})

test('a stage that does not exist, and a word that a stage does not have, are errors of the manifest', () => {
  const parse = (stage: object) => v.safeParse(Manifest.entries.stages, [stage]).success
  expect(parse({ stage: 'softmax', input: 'x', output: 'y' })).toBe(true)
  expect(parse({ stage: 'softmax', input: 'x', output: 'y', axis: 1 })).toBe(false)
  expect(parse({ stage: 'soft-max', input: 'x', output: 'y' })).toBe(false)
})
