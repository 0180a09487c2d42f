import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tensorsOfItem } from '@oriel/protocol/item'
import type { ManifestInput, TensorSpec } from '@oriel/protocol/manifest'
import { concatRows, type NamedTensor, sliceRows } from '@oriel/protocol/tensor'
import { scanModels } from '../../model-folder.ts'
import { inferItem } from '../testing/infer-item.ts'
import { type GraphDef, onnxBytes } from '../testing/onnx-bytes.ts'
import { writeModel } from '../testing/test-model.ts'
import { textClassificationEngine } from '../text-classification.ts'
import { pipelineEngine } from './pipeline.ts'

const root = mkdtempSync(join(tmpdir(), 'oriel-pipeline-'))
afterAll(() => rmSync(root, { recursive: true }))

type Stages = NonNullable<ManifestInput['stages']>
const fp32 = (name: string, ...shape: number[]): TensorSpec => ({ name, datatype: 'FP32', shape })
const bytes = (name: string, ...shape: number[]): TensorSpec => ({ name, datatype: 'BYTES', shape })

/** `y = x · weights`. */
const linear = (weights: readonly (readonly number[])[]): GraphDef => ({
  inputs: [{ name: 'x', type: 'float32', shape: ['n', weights.length] }],
  outputs: [{ name: 'y', type: 'float32', shape: ['n', weights[0]?.length ?? 0] }],
  weights: [{ name: 'w', dims: [weights.length, weights[0]?.length ?? 0], values: Float32Array.from(weights.flat()) }],
  nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
})
const infer = (graph: string, from: string, to: string) =>
  ({ stage: 'infer', graph, inputs: { x: from }, outputs: { y: to } }) as const

function model(inputs: TensorSpec[], outputs: TensorSpec[], stages: Stages, graphs: Record<string, GraphDef> = {}) {
  const files = Object.entries(graphs).map(([path, graph]) => [path, onnxBytes(graph)] as const)
  return writeModel(
    root,
    {
      engine: 'pipeline',
      inputs,
      outputs,
      stages,
      limits: { timeoutMs: 1_000, maxBatch: 8, concurrency: 1 },
    },
    { 'README.md': 'A pipeline.', ...Object.fromEntries(files) },
  )
}

async function run(of: ReturnType<typeof model>, input: unknown) {
  const session = await pipelineEngine.load(of, { threads: 1 })
  try {
    return await inferItem(of, session, input)
  } finally {
    await session.dispose()
  }
}
const values = (stages: Stages, outputs: TensorSpec[], x: number[], graphs: Record<string, GraphDef> = {}) =>
  run(model([fp32('x', x.length)], outputs, stages, graphs), { x })
const faultOf = (stages: Stages, outputs: TensorSpec[], graphs: Record<string, GraphDef> = {}) =>
  values(stages, outputs, [1, 2], graphs).then(
    () => 'none',
    (error) => error.problem.detail,
  )

test('scaled, through a graph, made a probability, named, ranked and judged', async () => {
  const stages: Stages = [
    { stage: 'scale', input: 'x', output: 'scaled', subtract: [1, 2], divide: 2 },
    infer('model.onnx', 'scaled', 'logits'),
    { stage: 'softmax', input: 'logits', output: 'scores' },
    { stage: 'labels', input: 'scores', output: 'label', labels: ['a', 'b', 'c'] },
    {
      stage: 'top-k',
      input: 'scores',
      k: 2,
      labels: ['a', 'b', 'c'],
      outputs: { scores: 'best', indices: 'places', labels: 'names' },
    },
    { stage: 'threshold', input: 'scores', output: 'sure', atLeast: 0.5 },
  ]
  const outputs = [
    bytes('label'),
    fp32('best', 2),
    { name: 'places', datatype: 'INT64' as const, shape: [2] },
    bytes('names', 2),
    { name: 'sure', datatype: 'BOOL' as const, shape: [3] },
  ]
  // (3 - 1) / 2 = 1 and (6 - 2) / 2 = 2, so the logits are 1, 2 and 3.
  const graph = linear([
    [1, 0, 1],
    [0, 1, 1],
  ])
  const total = Math.exp(1) + Math.exp(2) + Math.exp(3)
  expect(await values(stages, outputs, [3, 6], { 'model.onnx': graph })).toEqual({
    label: 'c',
    best: [expect.closeTo(Math.exp(3) / total, 5), expect.closeTo(Math.exp(2) / total, 5)],
    places: [2, 1],
    names: ['c', 'b'],
    sure: [false, false, true],
  })
})

test('a pipeline of a bundled model’s own parts says what its engine says, in a batch and alone', async () => {
  const folder = await scanModels(join(import.meta.dir, '../../../models'))
  const sentiment = folder.models.find(({ manifest }) => manifest.name === 'sentiment')
  if (!sentiment) throw new Error('sentiment is not in the models folder')
  const read = (path: string) => readFileSync(join(sentiment.dir, path))
  const config = JSON.parse(read('config.json').toString())
  const labels = Object.values(config.id2label as Record<string, string>)
  const chain = writeModel(
    root,
    {
      name: 'sentiment-chain',
      engine: 'pipeline',
      inputs: [bytes('text')],
      outputs: [bytes('label'), fp32('scores', labels.length)],
      stages: [
        { stage: 'tokenize', input: 'text', maxLength: 64, outputs: { ids: 'ids', mask: 'mask' } },
        {
          stage: 'infer',
          graph: 'model.onnx',
          inputs: { input_ids: 'ids', attention_mask: 'mask' },
          outputs: { logits: 'logits' },
        },
        { stage: 'softmax', input: 'logits', output: 'scores' },
        { stage: 'labels', input: 'scores', output: 'label', labels },
      ],
      limits: { timeoutMs: 1_000, maxBatch: 8, concurrency: 1 },
    },
    {
      'model.onnx': read('model.onnx'),
      'tokenizer.json': read('tokenizer.json').toString(),
      'tokenizer_config.json': read('tokenizer_config.json').toString(),
    },
  )
  const [engine, pipeline] = await Promise.all([
    textClassificationEngine.load(sentiment, { threads: 1 }),
    pipelineEngine.load(chain, { threads: 1 }),
  ])
  const texts = ['I love it.', 'What a waste of an otherwise fine evening, I would not go there again.', 'Dull']
  const alone: unknown[] = []
  for (const text of texts) {
    const expected = (await inferItem(sentiment, engine, text)) as { label: string; scores: Record<string, number> }
    const scores = Object.values(expected.scores).map((score) => expect.closeTo(score, 4))
    const found = await inferItem(chain, pipeline, { text })
    expect(found).toEqual({ label: expected.label, scores })
    alone.push(found)
  }
  const batch = concatRows(texts.flatMap((text) => tensorsOfItem(chain.manifest, { text })))
  const [label, scores] = (await pipeline.infer([batch])) as [NamedTensor, NamedTensor]
  for (const [row, text] of texts.entries()) {
    const one = await pipeline.infer(tensorsOfItem(chain.manifest, { text }))
    expect(sliceRows(label, row, row + 1).values).toEqual(one[0]?.values as string[])
    const close = Array.from(one[1]?.values as Float32Array, (score) => expect.closeTo(score, 4))
    expect(Array.from(sliceRows(scores, row, row + 1).values as Float32Array)).toEqual(close)
  }
  await Promise.all([engine.dispose(), pipeline.dispose()])
})

const members: Record<string, GraphDef> = {
  'a.onnx': linear([
    [1, 0],
    [0, 1],
  ]),
  'b.onnx': linear([
    [0, 2],
    [2, 0],
  ]),
  'c.onnx': linear([
    [3, 0],
    [0, 3],
  ]),
}
const each = (['a', 'b', 'c'] as const).map((member) => infer(`${member}.onnx`, 'x', member))

test('models are joined by their mean, even or weighted', async () => {
  const joined = (weights?: number[]): Stages => [
    ...each,
    { stage: 'mean', inputs: ['a', 'b', 'c'], output: 'y', ...(weights && { weights }) },
  ]
  // Of the members: [1, 5], [10, 2] and [3, 15].
  expect(await values(joined(), [fp32('y', 2)], [1, 5], members)).toEqual({
    y: [expect.closeTo(14 / 3, 5), expect.closeTo(22 / 3, 5)],
  })
  expect(await values(joined([1, 0, 3]), [fp32('y', 2)], [1, 5], members)).toEqual({ y: [2.5, 12.5] })
})

test('models are joined by vote', async () => {
  const votes = (weights?: number[]): Stages => [
    ...each,
    ...['a', 'b', 'c'].map((input): Stages[number] => {
      return { stage: 'labels', input, output: `${input}-says`, labels: ['left', 'right'] }
    }),
    { stage: 'vote', inputs: ['a-says', 'b-says', 'c-says'], output: 'y', ...(weights && { weights }) },
  ]
  expect(await values(votes(), [bytes('y')], [1, 5], members)).toEqual({ y: 'right' })
  expect(await values(votes([1, 3, 1]), [bytes('y')], [1, 5], members)).toEqual({ y: 'left' })
  expect(await values(votes([1, 1, 0]), [bytes('y')], [1, 5], members)).toEqual({ y: 'right' })
})

test('models are stacked: a graph learns from what the others say', async () => {
  const stages: Stages = [
    ...each,
    { stage: 'concat', inputs: ['a', 'b', 'c', 'x'], output: 'all' },
    infer('judge.onnx', 'all', 'y'),
  ]
  const judge = linear([[1], [10], [100], [1_000], [10_000], [100_000], [0], [0.5]])
  // a: 1, 2; b: 4, 2; c: 3, 6; x: 1, 2
  const expected = 1 + 20 + 400 + 2_000 + 30_000 + 600_000 + 1
  expect(await values(stages, [fp32('y', 1)], [1, 2], { ...members, 'judge.onnx': judge })).toEqual({ y: [expected] })
})

test('values are cast, reshaped and put side by side', async () => {
  const stages: Stages = [
    { stage: 'reshape', input: 'x', output: 'table', shape: [2, -1] },
    { stage: 'concat', inputs: ['table', 'table'], output: 'wide' },
    { stage: 'cast', input: 'wide', output: 'whole', datatype: 'INT64' },
    { stage: 'cast', input: 'x', output: 'text', datatype: 'BYTES' },
    { stage: 'cast', input: 'text', output: 'again', datatype: 'FP64' },
    { stage: 'sigmoid', input: 'x', output: 'soft' },
  ]
  const outputs = [
    { name: 'whole', datatype: 'INT64' as const, shape: [2, 4] },
    bytes('text', 4),
    { name: 'again', datatype: 'FP64' as const, shape: [4] },
    fp32('soft', 4),
  ]
  expect(await values(stages, outputs, [0, 1.5, -2.5, 3])).toEqual({
    whole: [
      [0, 1, 0, 1],
      [-2, 3, -2, 3],
    ],
    text: ['0', '1.5', '-2.5', '3'],
    again: [0, 1.5, -2.5, 3],
    soft: [0.5, expect.closeTo(0.81757, 4), expect.closeTo(0.07586, 4), expect.closeTo(0.95257, 4)],
  })
})

test('a text that is no number is the caller’s mistake, told with its stage', async () => {
  const cast = model(
    [bytes('x')],
    [{ name: 'y', datatype: 'INT32', shape: [] }],
    [{ stage: 'cast', input: 'x', output: 'y', datatype: 'INT32' }],
  )
  expect(await run(cast, { x: '42' })).toEqual({ y: 42 })
  await expect(run(cast, { x: 'many' })).rejects.toMatchObject({
    problem: { kind: 'input-mismatch', detail: expect.stringMatching(/^stage 1 \(cast\): /) },
  })
})

test.each<[what: string, stages: Stages, outputs: TensorSpec[], fault: string]>([
  [
    'an input that the graph does not have',
    [{ stage: 'infer', graph: 'a.onnx', inputs: { x: 'x', z: 'x' }, outputs: { y: 'y' } }],
    [fp32('y', 2)],
    'stage 1 (infer): a.onnx has no input "z"; it has "x".',
  ],
  [
    'a value of another type',
    [{ stage: 'cast', input: 'x', output: 'whole', datatype: 'INT32' }, infer('a.onnx', 'whole', 'y')],
    [fp32('y', 2)],
    'stage 2 (infer): "whole" is INT32, and a.onnx wants float32 as "x".',
  ],
  [
    'labels for other scores',
    [infer('a.onnx', 'x', 'a'), { stage: 'labels', input: 'a', output: 'y', labels: ['one'] }],
    [bytes('y')],
    'stage 2 (labels): "a" has 2 scores for 1 labels.',
  ],
  ['an output that is declared otherwise', [infer('a.onnx', 'x', 'y')], [fp32('y', 3)], 'declared as FP32 [3]'],
  ['a stage from nowhere', [infer('a.onnx', 'q', 'y')], [fp32('y', 2)], 'stage 1 (infer): nothing before it makes "q"'],
])('%s: told when it is loaded', async (_what, stages, outputs, fault) => {
  expect(await faultOf(stages, outputs, members)).toContain(fault)
})
