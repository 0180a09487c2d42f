import { ProblemError } from '@oriel/protocol/problem'
import type { Tensor } from 'onnxruntime-node'
import type { DecoderConfig } from './generation-config.ts'
import type { OnnxGraph, Port } from './onnx-graph.ts'
import { newTensor } from './tensor-codec.ts'

/** Reads tokens and says what may come next. `length` tokens were read; their keys and values are kept. */
export interface Decoding {
  readonly length: number
  /** @returns logits of the token after the last */
  read(tokens: readonly number[]): Promise<Float32Array>
}

export interface Decoder {
  begin(): Decoding
}

const PAST = /^past_key_values\./
/** Inputs that this file knows how to feed, beside the cache. */
const FED = ['input_ids', 'attention_mask', 'position_ids', 'use_cache_branch', 'num_logits_to_keep']

/**
 * A decoder with a key-value cache, as Hugging Face's exporters lay it out: `past_key_values.N.key|value` in,
 * `present.N.key|value` out, each [batch, heads, length, head size].
 * @throws ProblemError model-unavailable, naming what the graph has that this layout does not
 */
export function openDecoder(graph: OnnxGraph, config: DecoderConfig): Decoder {
  const inputs = new Map(graph.inputs.map((port) => [port.name, port]))
  const outputs = new Set(graph.outputs.map((port) => port.name))
  const past = graph.inputs.filter((port) => PAST.test(port.name))
  const unknown = graph.inputs.filter((port) => !PAST.test(port.name) && !FED.includes(port.name))
  if (unknown.length > 0) unfit(`it wants ${unknown.map((port) => port.name).join(', ')}`)
  if (!inputs.has('input_ids') || !outputs.has('logits')) unfit('it lacks input_ids or logits')
  if (past.length === 0) unfit('it has no key-value cache (past_key_values.*)')
  const present = past.map((port) => port.name.replace(PAST, 'present.'))
  const lost = present.find((name) => !outputs.has(name))
  if (lost) unfit(`it has no output ${lost}`)
  const fetches = ['logits', ...present]
  const empty = Object.fromEntries(past.map((port) => [port.name, emptyCache(port, config)]))

  return {
    begin() {
      let length = 0
      let cache = empty
      const feeds = (tokens: readonly number[]): Record<string, Tensor> => {
        const all: [string, () => Tensor][] = [
          ['input_ids', () => integers(inputs.get('input_ids'), tokens, [1, tokens.length])],
          ['attention_mask', () => ones(inputs.get('attention_mask'), length + tokens.length)],
          [
            'position_ids',
            () =>
              integers(
                inputs.get('position_ids'),
                tokens.map((_, i) => length + i),
                [1, tokens.length],
              ),
          ],
          ['use_cache_branch', () => newTensor('bool', Uint8Array.of(length > 0 ? 1 : 0), [1])],
          ['num_logits_to_keep', () => integers(inputs.get('num_logits_to_keep'), [1], [])],
        ]
        const wanted = all.filter(([name]) => inputs.has(name)).map(([name, make]) => [name, make()] as const)
        return { ...Object.fromEntries(wanted), ...cache }
      }
      return {
        get length() {
          return length
        },
        async read(tokens) {
          const results = await graph.run(feeds(tokens), fetches)
          cache = Object.fromEntries(past.map((port, i) => [port.name, refeedable(results[present[i] ?? ''])]))
          length += tokens.length
          return lastLogits(results.logits)
        },
      }
    },
  }
}

function emptyCache({ name, type, shape }: Port, config: DecoderConfig): Tensor {
  const heads = config.num_attention_heads ?? config.n_head
  const width = config.hidden_size ?? config.n_embd
  const size = (found: number | string | undefined, ...configured: (number | null | undefined)[]) =>
    typeof found === 'number' ? found : configured.find((value) => typeof value === 'number')
  const kvHeads = size(shape[1], config.num_key_value_heads, heads)
  const headSize = size(shape[3], config.head_dim, width && heads && width / heads)
  if (shape.length !== 4 || kvHeads === undefined || headSize === undefined) unfit(`the shape of ${name} is not known`)
  if (type !== 'float32' && type !== 'float16') unfit(`${name} is ${type ?? 'not a tensor'}`)
  return newTensor(type, type === 'float16' ? new Float16Array(0) : new Float32Array(0), [1, kvHeads, 0, headSize])
}

function integers(port: Port | undefined, values: readonly number[], dims: readonly number[]): Tensor {
  if (port?.type === 'int32') return newTensor('int32', Int32Array.from(values), dims)
  return newTensor('int64', BigInt64Array.from(values, BigInt), dims)
}

function ones(port: Port | undefined, count: number): Tensor {
  if (port?.type === 'int32') return newTensor('int32', new Int32Array(count).fill(1), [1, count])
  return newTensor('int64', new BigInt64Array(count).fill(1n), [1, count])
}

/** An output of the runtime, as it can be an input again. */
function refeedable(tensor: Tensor | undefined): Tensor {
  if (!tensor) throw new Error('the runtime left out a cache')
  return tensor.data instanceof Float16Array ? newTensor(tensor.type, tensor.data, tensor.dims) : tensor
}

function lastLogits(tensor: Tensor | undefined): Float32Array {
  const size = tensor?.dims.at(-1) ?? 0
  const data = tensor?.data
  if (data instanceof Float32Array) return data.subarray(data.length - size)
  if (data instanceof Float16Array) return Float32Array.from(data.subarray(data.length - size))
  throw new ProblemError({ kind: 'inference-failed', detail: 'The logits are not float32 or float16.' })
}

function unfit(what: string): never {
  throw new ProblemError({ kind: 'model-unavailable', detail: `The graph is no decoder with a cache: ${what}.` })
}
