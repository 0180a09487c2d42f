import { describeIssues } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { refuse } from './message.ts'

/** Of a request, an input or an output. */
export const Parameters = v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]))
export type Parameters = v.InferOutput<typeof Parameters>

/** Of the wire format itself; the rest is the model's. */
export const ByteCount = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
export const Shape = v.pipe(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), v.maxLength(32))

const Own = v.object({
  binary_data_output: v.optional(v.boolean(), false),
  /** Microseconds; 0 is none, as in Triton. */
  timeout: v.optional(ByteCount, 0),
  /** Taken, because clients send it, and without effect: there are no levels. */
  priority: v.optional(ByteCount, 0),
  sequence_id: v.optional(v.picklist([0, ''])),
  sequence_start: v.optional(v.literal(false)),
  sequence_end: v.optional(v.literal(false)),
})
const OWN = ['binary_data_output', 'timeout', 'priority', 'sequence_id', 'sequence_start', 'sequence_end'] as const

/**
 * What the protocol and its extensions keep for themselves, and what is the model's.
 * @throws ProblemError invalid-request
 */
export function sortParameters(all: Parameters | null | undefined): {
  own: { binary: boolean; timeoutMs?: number }
  parameters: Parameters
} {
  if (!all) return { own: { binary: false }, parameters: {} }
  const parsed = v.safeParse(Own, all)
  if (!parsed.success)
    refuse(`These parameters are not taken (sequences are not supported): ${describeIssues(parsed.issues)}.`)
  const { binary_data_output: binary, timeout } = parsed.output
  const parameters = { ...all }
  for (const name of OWN) delete parameters[name]
  return { own: { binary, ...(timeout > 0 && { timeoutMs: timeout / 1000 }) }, parameters }
}
