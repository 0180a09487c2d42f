import { ProblemError } from '@oriel/protocol/problem'
import type { NamedTensor } from '@oriel/protocol/tensor'
import type { Tensor } from 'onnxruntime-node'
import * as v from 'valibot'
import type { BatchSession, Engine } from './engine.ts'
import { readModelJson } from './model-file.ts'
import { type OnnxGraph, openGraph } from './onnx-graph.ts'
import { newTensor } from './tensor-codec.ts'
import { loadTokenizer } from './text-tokenizer.ts'
import { truncation } from './truncation.ts'

const ClassifierConfig = v.object({
  id2label: v.record(v.string(), v.string()),
  max_position_embeddings: v.nullish(v.number(), Number.POSITIVE_INFINITY),
  pad_token_id: v.nullish(v.number()),
  model_type: v.nullish(v.string()),
})
type ClassifierConfig = v.InferOutput<typeof ClassifierConfig>

const FED = ['input_ids', 'attention_mask', 'token_type_ids']

/** A sequence classifier in the layout of Hugging Face's exports; a text that is too long is cut at its end. */
export const textClassificationEngine: Engine<BatchSession> = {
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
    const padded = graph.inputs.some((port) => port.name === 'attention_mask')
    return {
      kind: 'batch',
      async infer([text], outputs) {
        if (!text) throw new ProblemError({ kind: 'input-mismatch', detail: 'text: missing.' })
        const rows = (text.values as readonly string[]).map((value) => cut(tokenizer.encode(value)))
        const scores: number[][] = []
        for (const same of padded ? [rows] : runsOfOneLength(rows)) {
          const { logits } = await graph.run(feeds(graph, same, config.pad_token_id ?? 0), ['logits'])
          scores.push(...probabilities(labels, logits, same.length))
        }
        const given = answer(labels, scores)
        return outputs ? given.filter(({ name }) => outputs.includes(name)) : given
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

function checkGraph({ inputs, outputs }: OnnxGraph): void {
  const unknown = inputs.map((port) => port.name).filter((name) => !FED.includes(name))
  if (unknown.length > 0) throw unfit(`the graph wants ${unknown.join(', ')}`)
  if (!outputs.some((port) => port.name === 'logits')) throw unfit('the graph has no output logits')
}

/** A graph without a mask would read padding as text: neighbours of one length go together. */
function runsOfOneLength(rows: readonly number[][]): number[][][] {
  const runs: number[][][] = []
  for (const row of rows) {
    const last = runs.at(-1)
    if (last?.[0]?.length === row.length) last.push(row)
    else runs.push([row])
  }
  return runs
}

/** Rows as long as the longest; the mask tells what is padding. */
function feeds(graph: OnnxGraph, rows: readonly number[][], padding: number): Record<string, Tensor> {
  const length = Math.max(...rows.map((row) => row.length))
  const value = (name: string, token: number | undefined) => {
    if (name === 'input_ids') return token ?? padding
    return name === 'attention_mask' && token !== undefined ? 1 : 0
  }
  return Object.fromEntries(
    graph.inputs.map(({ name, type }) => {
      const data = rows.flatMap((row) => Array.from({ length }, (_, at) => value(name, row[at])))
      const array = type === 'int32' ? Int32Array.from(data) : BigInt64Array.from(data, BigInt)
      return [name, newTensor(type === 'int32' ? 'int32' : 'int64', array, [rows.length, length])]
    }),
  )
}

/** Of every label, row by row. */
function probabilities(labels: readonly string[], logits: Tensor | undefined, rows: number): number[][] {
  const values = Array.from((logits?.data ?? []) as ArrayLike<number>)
  if (values.length !== rows * labels.length || !values.every(Number.isFinite)) {
    const detail = `The model computed no ${labels.length} finite scores.`
    throw new ProblemError({ kind: 'inference-failed', detail })
  }
  return Array.from({ length: rows }, (_, row) => softmax(values.slice(row * labels.length, (row + 1) * labels.length)))
}

function softmax(values: readonly number[]): number[] {
  const peak = Math.max(...values)
  const weights = values.map((value) => Math.exp(value - peak))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

function answer(labels: readonly string[], scores: readonly number[][]): NamedTensor[] {
  const [rows, each] = [scores.length, labels.length]
  const likeliest = scores.map((row) => labels[row.indexOf(Math.max(...row))] ?? '')
  return [
    { name: 'label', datatype: 'BYTES', shape: [rows], values: likeliest },
    { name: 'scores', datatype: 'FP32', shape: [rows, each], values: Float32Array.from(scores.flat()) },
    { name: 'labels', datatype: 'BYTES', shape: [rows, each], values: scores.flatMap(() => labels) },
  ]
}

const unfit = (detail: string) => new ProblemError({ kind: 'model-unavailable', detail: `${detail}.` })
