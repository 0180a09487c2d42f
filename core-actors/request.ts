import { DISCONNECT_GRACE_MS } from '@oriel/protocol/api'
import { TERMINAL } from '@oriel/protocol/event'
import { ClientRequestID, RequestId } from '@oriel/protocol/ids'
import { Job } from '@oriel/protocol/job'
import { LOG_MAX_AGE_MS } from '@oriel/protocol/streams'
import * as v from 'valibot'

// The life of one request, as its actor knows it:
//
//   new ──submit──▶ open ──a terminal event in the log──▶ ended ──the record has it, and an hour is over──▶ new
//    ▲               │ ▲                                    │                                               │
//    └──refused──────┘ └───────requeue, after `failed`──────┴───────────────────────────────────────────────┘
//
// `open` is written once, before the job is sent: from then on the request is accepted, whatever is lost
// elsewhere. `ended` is written once, unless a failed request is queued again. Nothing in between touches storage.

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))

export const OpenRequest = v.object({
  id: RequestId,
  user: v.string(),
  requestID: ClientRequestID,
  bodyHash: v.string(),
  /** As it was sent, without the request id. */
  request: v.record(v.string(), v.unknown()),
  model: Job.entries.model,
  version: Job.entries.version,
  lane: Job.entries.lane,
  parameters: Job.entries.parameters,
  onDisconnect: v.picklist(['detach', 'cancel']),
  sentAt: whole,
  deadlineAt: whole,
})
export type OpenRequest = v.InferOutput<typeof OpenRequest>

export const End = v.object({ status: v.picklist(TERMINAL), n: whole, at: whole })
export type End = v.InferOutput<typeof End>

/** @throws when the event is not a terminal one */
export const endOf = ({ type, n, at }: { type: string; n: number; at: number }): End =>
  v.parse(End, { status: type, n, at })

export type RequestState =
  | { readonly mode: 'new' }
  | {
      readonly mode: 'open'
      readonly request: OpenRequest
      /** When the last client of a request that is cancelled on disconnect left. */
      readonly leftAt?: number
      /** Of one that was queued again: the end that its log goes on after. */
      readonly undone?: End
    }
  | {
      readonly mode: 'ended'
      readonly request: OpenRequest
      readonly end: End
      /** The record was seen to have the whole of it. */
      readonly recorded: boolean
    }

/** How often an open request is looked after when nobody streams it: its job sent again if the broker lost it. */
const SUPERVISE_MS = 15_000
/** The same of one that the broker did not confirm: its client sees nothing until then. */
const UNSURE_MS = 3_000
/** What should have been done by now and could not be, because the broker was away, is tried again this often. */
const OVERDUE_MS = 1_000
/** An ended request is kept for as long as its log, and until the record has it. */
const FORGET_MS = LOG_MAX_AGE_MS
/**
 * After so long it is looked whether the record has a request that has ended, again and again until it does: while there
 * are a few looks left in the life of its log, from which it can be told again.
 */
export const LATE_MS = LOG_MAX_AGE_MS / 4
/** After so many times that, nobody brings the log back any more: neither it nor the job is kept for longer. */
const LOOKS = 4

export interface Circumstances {
  /** The record may not have been told that the request was accepted. */
  readonly unsure?: boolean
  /** See `LATE_MS`. */
  readonly lateMs?: number
}

/** When the actor must wake, ms since the epoch. */
export function nextAlarm(
  state: RequestState,
  now: number,
  { unsure = false, lateMs = LATE_MS }: Circumstances = {},
): number | undefined {
  switch (state.mode) {
    case 'new':
      return undefined
    case 'open':
      return Math.min(
        ...dueTimes(state).map((due) => (due > now ? due : now + OVERDUE_MS)),
        now + (unsure ? UNSURE_MS : SUPERVISE_MS),
      )
    case 'ended':
      if (unsure) return now + OVERDUE_MS
      if (state.recorded) return Math.max(state.end.at + FORGET_MS, now + OVERDUE_MS)
      return state.end.at + lateMs > now ? state.end.at + lateMs : now + lateMs
  }
}

export type Duty = 'nothing' | 'expire' | 'cancel' | 'supervise' | 'look' | 'forget'

/** What an actor that was woken at `now` has to do. */
export function dutyAt(state: RequestState, now: number, lateMs = LATE_MS): Duty {
  switch (state.mode) {
    case 'new':
      return 'nothing'
    case 'open':
      if (now >= state.request.deadlineAt) return 'expire'
      if (state.leftAt !== undefined && now >= state.leftAt + DISCONNECT_GRACE_MS) return 'cancel'
      return 'supervise'
    case 'ended':
      if (!state.recorded) return now >= state.end.at + lateMs ? 'look' : 'nothing'
      return now >= state.end.at + FORGET_MS ? 'forget' : 'nothing'
  }
}

/** How often it was looked for an end in the record: after the last look what the broker has not is lost. */
export type Look = 'first' | 'again' | 'last'

export function lookAt({ at }: End, now: number, lateMs = LATE_MS): Look {
  if (now >= at + LOOKS * lateMs) return 'last'
  return now >= at + 2 * lateMs ? 'again' : 'first'
}

function dueTimes({ request, leftAt }: Extract<RequestState, { mode: 'open' }>): number[] {
  return leftAt === undefined ? [request.deadlineAt] : [request.deadlineAt, leftAt + DISCONNECT_GRACE_MS]
}
