import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { inferItem } from './testing/infer-item.ts'
import { onnxBytes } from './testing/onnx-bytes.ts'
import { writeModel } from './testing/test-model.ts'
import { textClassificationEngine } from './text-classification.ts'

const root = mkdtempSync(join(tmpdir(), 'oriel-classification-'))
afterAll(() => rmSync(root, { recursive: true }))

const WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'good', 'bad', 'dull']

/** Adds up the words: good is for, bad is against, and so is [SEP], a little. */
function model(config: Record<string, unknown> = {}, extra: string[] = []) {
  const special = (content: string) => ({ id: WORDS.indexOf(content), content, special: true, normalized: false })
  const scores = [0, 0, 0, 0, 0, 0, 0.5, 0, 0, 2, 2, 0, 0, 0] // [against, for] of each word
  return writeModel(
    root,
    { engine: 'text-classification' },
    {
      'model.onnx': onnxBytes({
        inputs: ['input_ids', 'attention_mask', ...extra].map((name) => ({ name, type: 'int64', shape: ['b', 's'] })),
        outputs: [{ name: 'logits', type: 'float32', shape: ['b', 2] }],
        weights: [
          { name: 'scores', dims: [WORDS.length, 2], values: Float32Array.from(scores) },
          { name: 'one', dims: [1], values: new BigInt64Array([1n]) },
        ],
        nodes: [
          { op: 'Gather', inputs: ['scores', 'input_ids'], outputs: ['each'] },
          { op: 'ReduceSum', inputs: ['each', 'one'], outputs: ['logits'], attributes: { keepdims: 0 } },
        ],
      }),
      'config.json': JSON.stringify({ id2label: { 0: 'against', 1: 'for' }, ...config }),
      'tokenizer.json': JSON.stringify({
        version: '1.0',
        added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'].map(special),
        normalizer: { type: 'BertNormalizer', lowercase: true, clean_text: true, handle_chinese_chars: true },
        pre_tokenizer: { type: 'BertPreTokenizer' },
        post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
        decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
        model: {
          type: 'WordPiece',
          unk_token: '[UNK]',
          continuing_subword_prefix: '##',
          max_input_chars_per_word: 100,
          vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])),
        },
      }),
    },
  )
}

const Answer = v.object({ label: v.string(), scores: v.object({ for: v.number(), against: v.number() }) })
const classify = async (of: ReturnType<typeof model>, input: unknown) => {
  const session = await textClassificationEngine.load(of, { threads: 1 })
  return v.parse(Answer, await inferItem(of, session, input))
}

test('the label is the likeliest, and the scores are probabilities', async () => {
  const { label, scores } = await classify(model(), 'Good GOOD bad')
  expect(label).toBe('for')
  expect(scores.for).toBeCloseTo(Math.exp(4) / (Math.exp(4) + Math.exp(2.5)), 6)
  expect(scores.for + scores.against).toBeCloseTo(1, 6)
})

test('a text that is too long is cut at its end, and keeps its special tokens', async () => {
  const short = model({ max_position_embeddings: 5 })
  const cut = await classify(short, 'good good good bad bad bad bad')
  expect(cut).toEqual(await classify(short, 'good good good'))
})

test('token types are given to graphs that ask for them', async () => {
  expect((await classify(model({}, ['token_type_ids']), 'bad')).label).toBe('against')
})

test.each([
  ['labels with a gap', { id2label: { 0: 'a', 2: 'b' } }, [], 'id2label'],
  ['a graph with an input of its own', {}, ['bbox'], 'the graph wants bbox'],
  ['no labels', { id2label: undefined }, [], 'config.json: id2label'],
])('%s are refused at load', async (_name, config, extra, detail) => {
  const error = await textClassificationEngine.load(model(config, extra), { threads: 1 }).catch((error) => error)
  expect(error.problem.kind).toBe('model-unavailable')
  expect(error.problem.detail).toContain(detail)
})

test('more or fewer labels than scores are a failure of the model', async () => {
  const three = model({ id2label: { 0: 'a', 1: 'b', 2: 'c' } })
  const error = await classify(three, 'good').catch((error) => error)
  expect(error.problem.kind).toBe('inference-failed')
})
