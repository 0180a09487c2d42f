import { RequestEvent, TERMINAL } from '@oriel/protocol/event'
import { sentAtOf } from '@oriel/protocol/ids'
import type { Sent } from '@oriel/protocol/view'
import * as v from 'valibot'

/** A request as the record has it. Times are ms since the epoch. */
export interface Recorded extends Sent {
  /** Oriel's own name for the request. */
  readonly id: string
  readonly version: string
  readonly bodyHash: string
  readonly deadlineAt: number
  /** `accepted` until every part of the outcome is recorded; what happens meanwhile, the log tells. */
  readonly status: 'accepted' | (typeof TERMINAL)[number]
  /** The log in order; empty while the status is `accepted`. */
  readonly events: readonly RequestEvent[]
}

/** The row that history.ts selects. */
const Row = v.object({
  id: v.string(),
  request_id: v.string(),
  model_id: v.string(),
  version: v.string(),
  request: v.record(v.string(), v.unknown()),
  body_hash: v.string(),
  deadline_at: v.number(),
  status: v.nullable(v.picklist(TERMINAL)),
  /** One list for each part. */
  events: v.nullable(v.array(v.array(RequestEvent))),
})

/** @throws ValiError when a row is not what the recorder writes */
export function toRecorded(input: unknown): Recorded {
  const row = v.parse(Row, input)
  return {
    id: row.id,
    requestID: row.request_id,
    model: row.model_id,
    version: row.version,
    request: row.request,
    bodyHash: row.body_hash,
    deadlineAt: row.deadline_at,
    sentAt: sentAtOf(row.id),
    status: row.status ?? 'accepted',
    events: row.events?.flat() ?? [],
  }
}
