import type { LocalModel } from '../../model-runner.ts'
import { uniform } from '../random.ts'
import { type NodeDef, onnxBytes, type PortDef } from './onnx-bytes.ts'
import { writeModel } from './test-model.ts'
import { byteLevelTokenizer } from './tokenizers.ts'

const VOCABULARY = 261
const WIDTH = 16

export interface TinyDecoderOptions {
  /** Inputs that only some exports have. */
  readonly positions?: boolean
  readonly cacheBranch?: boolean
  readonly half?: boolean
  readonly config?: Record<string, unknown>
  readonly generation?: Record<string, unknown>
}

/**
 * A decoder in the layout of Hugging Face's exports that babbles bytes. Each token depends on all before it, through
 * the cache, so a generation that is continued wrongly goes on differently.
 */
export function tinyDecoder(root: string, options: TinyDecoderOptions = {}): LocalModel {
  const float = options.half ? 'float16' : 'float32'
  const cache = ['key', 'value'].map((part) => ({ in: `past_key_values.0.${part}`, out: `present.0.${part}` }))
  const port = (name: string, type: PortDef['type'], shape: PortDef['shape']): PortDef => ({ name, type, shape })
  const graph = onnxBytes({
    inputs: [
      port('input_ids', 'int64', ['batch', 'seq']),
      port('attention_mask', 'int64', ['batch', 'total']),
      ...(options.positions ? [port('position_ids', 'int64', ['batch', 'seq'])] : []),
      ...(options.cacheBranch ? [port('use_cache_branch', 'bool', [1])] : []),
      ...cache.map((part) => port(part.in, float, ['batch', 1, 'past', WIDTH])),
    ],
    outputs: [
      port('logits', float, ['batch', 'seq', VOCABULARY]),
      ...cache.map((part) => port(part.out, float, ['batch', 1, 'total', WIDTH])),
    ],
    weights: [
      { name: 'embed', dims: [VOCABULARY, WIDTH], values: noise(1, VOCABULARY * WIDTH, 2) },
      { name: 'unembed', dims: [WIDTH, VOCABULARY], values: noise(2, VOCABULARY * WIDTH, 3) },
      { name: 'axis', dims: [1], values: new BigInt64Array([1n]) },
      { name: 'headsAndLength', dims: [2], values: new BigInt64Array([1n, 2n]) },
    ],
    nodes: [
      { op: 'Gather', inputs: ['embed', 'input_ids'], outputs: ['x'] },
      { op: 'Unsqueeze', inputs: ['x', 'axis'], outputs: ['key'] },
      { op: 'Neg', inputs: ['key'], outputs: ['value'] },
      ...cache.flatMap((part): NodeDef[] => [
        { op: 'Cast', inputs: [part.in], outputs: [`${part.in}.f`], attributes: { to: 1 } },
        {
          op: 'Concat',
          inputs: [`${part.in}.f`, part.in.slice('past_key_values.0.'.length)],
          outputs: [`${part.out}.f`],
          attributes: { axis: 2 },
        },
        { op: 'Cast', inputs: [`${part.out}.f`], outputs: [part.out], attributes: { to: options.half ? 10 : 1 } },
      ]),
      {
        op: 'ReduceSum',
        inputs: ['present.0.key.f', 'headsAndLength'],
        outputs: ['history'],
        attributes: { keepdims: 0 },
      },
      { op: 'Unsqueeze', inputs: ['history', 'axis'], outputs: ['row'] },
      { op: 'Sin', inputs: ['row'], outputs: ['mixed'] },
      { op: 'Add', inputs: ['x', 'mixed'], outputs: ['hidden'] },
      { op: 'MatMul', inputs: ['hidden', 'unembed'], outputs: ['scores'] },
      { op: 'Cast', inputs: ['scores'], outputs: ['logits'], attributes: { to: options.half ? 10 : 1 } },
    ],
  })
  return writeModel(
    root,
    { name: 'babbler', engine: 'text-generation' },
    {
      'model.onnx': graph,
      'tokenizer.json': JSON.stringify(byteLevelTokenizer()),
      'config.json': JSON.stringify({ max_position_embeddings: 64, eos_token_id: 260, ...options.config }),
      ...(options.generation ? { 'generation_config.json': JSON.stringify(options.generation) } : {}),
    },
  )
}

const noise = (seed: number, count: number, scale: number) =>
  Float32Array.from({ length: count }, (_, index) => (uniform(seed, index) - 0.5) * scale)
