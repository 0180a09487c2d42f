import { DATATYPES, Manifest } from '@oriel/protocol/manifest'
import { Problem } from '@oriel/protocol/problem'
import type { NamedTensor, TensorValues } from '@oriel/protocol/tensor'
import * as v from 'valibot'

/** All that may cross between the node and its model hosts, which are always of the same build. */

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))
/** Names one piece of work, such as a load or a run, and is never used twice in the life of a node. */
const work = v.pipe(whole, v.minValue(1))
const tokens = v.pipe(v.array(whole), v.readonly())
const isValues = (value: unknown): value is TensorValues =>
  ArrayBuffer.isView(value) || (Array.isArray(value) && value.every((text) => typeof text === 'string'))
/** Arrays as they are: the channel clones them. See `ownMemory`. */
const tensors = v.pipe(
  v.array(
    v.object({
      name: v.string(),
      datatype: v.picklist(DATATYPES),
      shape: v.pipe(v.array(v.number()), v.readonly()),
      values: v.custom<TensorValues>(isValues),
    }),
  ),
  v.readonly(),
)

export const ToHost = v.variant('type', [
  /** Answered by one `output`, a GraphSignature. @param file absolute path of a graph that is not to be kept */
  v.object({ type: v.literal('inspect'), work, file: v.string() }),
  v.object({ type: v.literal('load'), work, model: v.string(), dir: v.string(), manifest: Manifest }),
  v.object({
    type: v.literal('run'),
    work,
    model: v.string(),
    input: v.unknown(),
    parameters: v.record(v.string(), v.union([v.number(), v.boolean(), v.string(), v.array(v.string())])),
    seed: v.number(),
    prior: v.object({ tokens, text: v.string() }),
  }),
  v.object({
    type: v.literal('infer'),
    work,
    model: v.string(),
    inputs: tensors,
    outputs: v.optional(v.pipe(v.array(v.string()), v.readonly())),
  }),
  /** The run ends with `done` as soon as it can. */
  v.object({ type: v.literal('abort'), work }),
  /** Frees a model that has no runs. Answered by `unloaded`. */
  v.object({ type: v.literal('unload'), model: v.string() }),
  v.object({ type: v.literal('ping') }),
])
export type ToHost = v.InferOutput<typeof ToHost>

export const FromHost = v.variant('type', [
  /** @param rssBytes with the runtime, and no model yet */
  v.object({ type: v.literal('ready'), rssBytes: whole }),
  v.object({ type: v.literal('output'), work, response: v.unknown(), tokens: v.optional(tokens) }),
  // Each piece of work ends with exactly one of these four.
  /** @param bytes by which the process has grown. @param tookMs on its thread */
  v.object({ type: v.literal('loaded'), work, bytes: whole, tookMs: v.number() }),
  v.object({ type: v.literal('inferred'), work, outputs: tensors }),
  v.object({ type: v.literal('done'), work }),
  v.object({ type: v.literal('failed'), work, problem: Problem }),
  v.object({ type: v.literal('unloaded'), model: v.string() }),
  /** A model that ran on more than ever before. @param bytes that it takes now */
  v.object({ type: v.literal('grew'), model: v.string(), bytes: whole }),
  v.object({ type: v.literal('pong'), rssBytes: whole }),
])
export type FromHost = v.InferOutput<typeof FromHost>
export type WorkEnd = Extract<FromHost, { type: 'loaded' | 'inferred' | 'done' }>

/** The channel would clone all of the memory that a view is a part of. */
export const ownMemory = (tensors: readonly NamedTensor[]): readonly NamedTensor[] => tensors.map(own)

function own(tensor: NamedTensor): NamedTensor {
  const { values } = tensor
  if (!ArrayBuffer.isView(values) || values.byteLength === values.buffer.byteLength) return tensor
  return { ...tensor, values: values.slice() }
}
