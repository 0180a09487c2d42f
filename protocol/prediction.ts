import * as v from 'valibot'
import { RequestId } from './ids.ts'
import { ModelName, ModelVersion } from './manifest.ts'
import { Problem } from './problem.ts'
import { MAX_PAYLOAD_BYTES } from './streams.ts'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))
const time = v.pipe(v.number(), v.minValue(0))

/** A frame, and with it what a prediction takes or gives: the broker adds a subject and headers. */
export const MAX_FRAME_BYTES = MAX_PAYLOAD_BYTES - 16 * 1024

/**
 * Edge → node, on `predictSubject(node, model)`: the head of a frame whose message is a request of the Open Inference
 * Protocol. Nothing is accepted: whoever asks waits, and asks again.
 */
export const PredictionHead = v.object({
  id: RequestId,
  user: v.string(),
  model: ModelName,
  version: ModelVersion,
  /** Checked against the manifest, defaults filled in. */
  parameters: v.record(v.string(), v.union([v.number(), v.boolean(), v.string(), v.array(v.string())])),
  /** When it came, ms since the epoch. */
  sentAt: whole,
  /** How long the answer is waited for, from now on: the clocks of two machines differ. */
  timeoutMs: v.pipe(whole, v.minValue(1)),
})
export type PredictionHead = v.InferOutput<typeof PredictionHead>

/** Node → edge: the head of a frame whose message is an answer of the Open Inference Protocol, or else empty. */
export const AnswerHead = v.variant('ok', [
  v.object({ ok: v.literal(true), node: v.string(), tookMs: time }),
  v.object({ ok: v.literal(false), node: v.string(), problem: Problem }),
])
export type AnswerHead = v.InferOutput<typeof AnswerHead>
