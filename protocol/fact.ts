import * as v from 'valibot'
import { isTerminal, RequestEvent, TERMINAL } from './event.ts'
import { ClientRequestID, RequestId } from './ids.ts'
import { ModelName, ModelVersion } from './manifest.ts'
import { Problem } from './problem.ts'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))

/** On `acceptedSubject(id)`, with `Nats-Msg-Id` `accepted.<id>`: the record's row of a request. */
export const Accepted = v.object({
  id: RequestId,
  user: v.string(),
  requestID: ClientRequestID,
  model: ModelName,
  version: ModelVersion,
  /** As the client sent it: input, parameters and options, without the request id. */
  request: v.record(v.string(), v.unknown()),
  /** SHA-256 of the canonical body, hex: tells a repeat from a conflict. */
  bodyHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  deadlineAt: whole,
})
export type Accepted = v.InferOutput<typeof Accepted>

/**
 * On `endedSubject(id)`, with `endedMsgID` as `Nats-Msg-Id`: the outcome and the whole log, which is
 * split only when it would not fit one message. Each part is one row of the record, so any order will do.
 */
export const Ended = v.object({
  id: RequestId,
  status: v.picklist(TERMINAL),
  /** Number of the terminal event. A request that was queued again ends again, later in its log. */
  n: v.pipe(whole, v.minValue(1)),
  endedAt: whole,
  problem: v.optional(Problem),
  part: whole,
  parts: v.pipe(whole, v.minValue(1)),
  events: v.array(RequestEvent),
})
export type Ended = v.InferOutput<typeof Ended>

/** What went in or came out: the tensors in the Open Inference Protocol's JSON, or of large ones only what they were. */
export const Payload = v.union([
  v.object({ tensors: v.array(v.record(v.string(), v.unknown())) }),
  v.object({ sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)), bytes: whole }),
])
export type Payload = v.InferOutput<typeof Payload>

/**
 * On `predictedSubject(id)`, with `predicted.<id>` as `Nats-Msg-Id`: predictions that a node made, some dozens at a time.
 * One that was asked of two nodes has one id, and is one row of the record.
 */
export const Predicted = v.object({
  /** Of the batch. */
  id: RequestId,
  node: v.string(),
  predictions: v.array(
    v.object({
      id: RequestId,
      user: v.string(),
      model: ModelName,
      version: ModelVersion,
      status: v.picklist(['completed', 'failed']),
      problem: v.optional(Problem),
      /** In the node: waiting for its batch, and the run. */
      tookMs: v.pipe(v.number(), v.minValue(0)),
      input: Payload,
      output: v.optional(Payload),
    }),
  ),
})
export type Predicted = v.InferOutput<typeof Predicted>

export const endedMsgID = ({ id, n, part }: Pick<Ended, 'id' | 'n' | 'part'>) => `ended.${id}.${n}.${part}`

/** Bytes of events in one part. An event alone may be larger; the broker takes `MAX_PAYLOAD_BYTES`. */
const PART_BYTES = 768 * 1024

/** The facts that a finished log makes, in order of their parts. */
export function endedFacts(id: string, events: readonly RequestEvent[]): Ended[] {
  const last = events.at(-1)
  if (!last || !isTerminal(last)) throw new Error('the log has no terminal event')
  const chunks: RequestEvent[][] = [[]]
  let size = 0
  for (const event of events) {
    const bytes = new TextEncoder().encode(JSON.stringify(event)).byteLength
    if (size > 0 && size + bytes > PART_BYTES) {
      chunks.push([])
      size = 0
    }
    chunks.at(-1)?.push(event)
    size += bytes
  }
  const problem = last.problem && { problem: last.problem }
  return chunks.map((chunk, part) => ({
    id,
    status: last.type,
    n: last.n,
    endedAt: last.at,
    ...problem,
    part,
    parts: chunks.length,
    events: chunk,
  }))
}
