import { ProblemError } from '@oriel/protocol/problem'
import type { Tensor } from 'onnxruntime-node'
import * as v from 'valibot'
import type { Engine } from './engine.ts'
import { readModelJson } from './model-file.ts'
import { type OnnxGraph, openGraph } from './onnx-graph.ts'
import { newTensor } from './tensor-codec.ts'
import { loadTokenizer, type TextTokenizer } from './text-tokenizer.ts'

const ClassifierConfig = v.object({
  id2label: v.record(v.string(), v.string()),
  max_position_embeddings: v.nullish(v.number(), Number.POSITIVE_INFINITY),
  pad_token_id: v.nullish(v.number()),
  model_type: v.nullish(v.string()),
})
type ClassifierConfig = v.InferOutput<typeof ClassifierConfig>

const FED = ['input_ids', 'attention_mask', 'token_type_ids']

/** A sequence classifier in the layout of Hugging Face's exports; a text that is too long is cut at its end. */
export const textClassificationEngine: Engine = {
  async load(model, options) {
    const config = await readModelJson(model, 'config.json', ClassifierConfig)
    const labels = labelsOf(config)
    const tokenizer = await loadTokenizer(model)
    const cut = truncation(tokenizer, Math.min(tokenizer.maxLength, positions(config)))
    const graph = await openGraph(model, options)
    try {
      checkGraph(graph)
    } catch (error) {
      await graph.dispose()
      throw error
    }
    return {
      async run({ input }, { emit, signal, step }) {
        if (typeof input !== 'string') {
          throw new ProblemError({ kind: 'input-mismatch', detail: 'input: expected a string.' })
        }
        const response = await step(async () => {
          const { logits } = await graph.run(feeds(graph, cut(tokenizer.encode(input))), ['logits'])
          return classification(labels, logits)
        })
        signal.throwIfAborted()
        emit({ response })
      },
      dispose: () => graph.dispose(),
    }
  },
}

function labelsOf({ id2label }: ClassifierConfig): string[] {
  const labels = Object.keys(id2label).map((_, id) => id2label[id])
  if (labels.length > 0 && labels.every((label) => label !== undefined)) return labels
  throw unfit('config.json: id2label does not name the labels 0, 1, 2 …')
}

/** RoBERTa counts positions from the one after its padding token's. */
const positions = ({ model_type, max_position_embeddings, pad_token_id }: ClassifierConfig): number =>
  /roberta|camembert/.test(model_type ?? '')
    ? max_position_embeddings - (pad_token_id ?? 1) - 1
    : max_position_embeddings

/** Cuts the text's own tokens and keeps the special ones around them. */
function truncation(tokenizer: TextTokenizer, maxLength: number): (tokens: number[]) => number[] {
  const around = tokenizer.encode('')
  const [first] = tokenizer.encode('a').filter((token) => !around.includes(token))
  const before = first === undefined ? 0 : tokenizer.encode('a').indexOf(first)
  const after = around.length - before
  return (tokens) => {
    if (tokens.length <= maxLength) return tokens
    return [...tokens.slice(0, maxLength - after), ...tokens.slice(tokens.length - after)]
  }
}

function checkGraph({ inputs, outputs }: OnnxGraph): void {
  const unknown = inputs.map((port) => port.name).filter((name) => !FED.includes(name))
  if (unknown.length > 0) throw unfit(`the graph wants ${unknown.join(', ')}`)
  if (!outputs.some((port) => port.name === 'logits')) throw unfit('the graph has no output logits')
}

function feeds(graph: OnnxGraph, tokens: readonly number[]): Record<string, Tensor> {
  const values = (name: string) =>
    name === 'input_ids' ? tokens : tokens.map(() => (name === 'attention_mask' ? 1 : 0))
  return Object.fromEntries(
    graph.inputs.map(({ name, type }) => {
      const data = values(name)
      const array = type === 'int32' ? Int32Array.from(data) : BigInt64Array.from(data, BigInt)
      return [name, newTensor(type === 'int32' ? 'int32' : 'int64', array, [1, data.length])]
    }),
  )
}

function classification(labels: readonly string[], logits: Tensor | undefined) {
  const values = Array.from((logits?.data ?? []) as ArrayLike<number>)
  if (values.length !== labels.length || !values.every(Number.isFinite)) {
    const detail = `The model computed no ${labels.length} finite scores.`
    throw new ProblemError({ kind: 'inference-failed', detail })
  }
  const peak = Math.max(...values)
  const weights = values.map((value) => Math.exp(value - peak))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return {
    label: labels[values.indexOf(peak)],
    scores: Object.fromEntries(labels.map((label, index) => [label, (weights[index] ?? 0) / total])),
  }
}

const unfit = (detail: string) => new ProblemError({ kind: 'model-unavailable', detail: `${detail}.` })
