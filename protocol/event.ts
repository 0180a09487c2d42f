import * as v from 'valibot'
import { Problem } from './problem.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

/** Every event: its number within the request (1, 2, 3 …; the SSE `id`) and its time, ms since the epoch. */
const numbered = { n: v.pipe(v.number(), v.integer(), v.minValue(1)), at: count }

/** In the record alone, of an end whose log was lost: that it was (`lost-end.ts`). */
const lost = { problem: v.optional(Problem) }

/**
 * One message of a request's log, on `progressSubject(shard, id)`. Every publish carries
 * `Nats-Expected-Last-Subject-Sequence`, so a log has no gap, no repeat and one author at a time.
 */
export const RequestEvent = v.variant('type', [
  v.object({ ...numbered, type: v.literal('queued'), position: count }),
  v.object({ ...numbered, type: v.literal('started'), node: v.string(), attempt: v.pipe(count, v.minValue(1)) }),
  v.object({
    ...numbered,
    type: v.literal('responses'),
    response: v.unknown(),
    /** Of a generation: the tokens made since the last event, which the next attempt takes as given. Not for clients. */
    tokens: v.optional(v.array(count)),
  }),
  /** `waitingFor`: the request cannot begin, because no node has its model. */
  v.object({
    ...numbered,
    type: v.literal('progress'),
    elapsedMs: count,
    waitingFor: v.optional(v.picklist(['model'])),
  }),
  /** An attempt failed, and the next begins in `inMs`. Its number is the old one when the failure was not the request's. */
  v.object({
    ...numbered,
    type: v.literal('retrying'),
    attempt: v.pipe(count, v.minValue(1)),
    inMs: count,
    problem: Problem,
  }),
  v.object({ ...numbered, type: v.literal('completed'), ...lost }),
  v.object({ ...numbered, type: v.literal('failed'), problem: Problem, retriable: v.boolean() }),
  v.object({ ...numbered, type: v.literal('cancelled'), ...lost }),
  v.object({ ...numbered, type: v.literal('expired'), ...lost }),
])
export type RequestEvent = v.InferOutput<typeof RequestEvent>

/** An event before the log gives it its number and time. */
export type NewEvent = RequestEvent extends infer E ? (E extends RequestEvent ? Omit<E, 'n' | 'at'> : never) : never

export const TERMINAL = ['completed', 'failed', 'cancelled', 'expired'] as const
export type Terminal = (typeof TERMINAL)[number]
export type TerminalEvent = Extract<RequestEvent, { type: Terminal }>

export const isTerminal = (event: RequestEvent): event is TerminalEvent => TERMINAL.some((type) => type === event.type)

/** Where a request stands: its last event that says so. */
export const STATUSES = ['accepted', 'queued', 'started', 'retrying', ...TERMINAL] as const
export type Status = (typeof STATUSES)[number]
