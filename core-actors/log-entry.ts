import { RequestEvent, TERMINAL } from '@oriel/protocol/event'
import { DELIVERY_HEADER } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { sseOf } from './sse.ts'

/** An event as it stands in PROGRESS: with its stream sequence, which the fence counts in. */
export interface Entry {
  readonly sequence: number
  readonly event: RequestEvent
}

/** The same before anyone has read it. */
export interface RawEntry {
  readonly sequence: number
  readonly payload: Uint8Array
  readonly headerOf?: HeaderOf
}

/** A header of the message by its name; '' when it has none. Asked for `started` only: they are not parsed for every event. */
export type HeaderOf = (name: string) => string | undefined

/** The same as clients get it: printed once, however many stream it. */
export interface PrintedEntry {
  /** Absent when it came live: reading a header for every event would cost more than reading a log again. */
  readonly sequence?: number
  /** Number of the event within its request. */
  readonly n: number
  readonly at: number
  readonly type: string
  /** Nothing follows it, unless a request that failed is queued again. */
  readonly terminal: boolean
  readonly text: string
  /** Of `started`: which node, and where its job is acknowledged, if it said so. */
  readonly started?: { readonly node: string; readonly delivery: string | undefined }
  /** Of `progress`: what the request needs before it can begin. */
  readonly waitingFor?: string
  /** Of what is told while a request waits: the event. */
  readonly waiting?: RequestEvent
}

/** What every event has. A type that is not known here is passed on: a newer node may have made it. */
const AnyEvent = v.looseObject({
  n: v.number(),
  at: v.number(),
  type: v.string(),
  node: v.optional(v.string()),
  waitingFor: v.optional(v.string()),
})

const decoder = new TextDecoder()

/** @throws when the payload is not an event: only nodes and relays can write a log, so that is a bug */
export function parseEntry({ sequence, payload }: RawEntry): Entry {
  return { sequence, event: v.parse(RequestEvent, JSON.parse(decoder.decode(payload))) }
}

/** @throws likewise */
export function printEntry(payload: Uint8Array, sequence?: number, headerOf?: HeaderOf): PrintedEntry {
  return print(v.parse(AnyEvent, JSON.parse(decoder.decode(payload))), sequence, headerOf)
}

/** One that was written here, and will come live as any other. */
export const printEvent = (event: RequestEvent): PrintedEntry => print(event)

function print(event: v.InferOutput<typeof AnyEvent>, sequence?: number, headerOf?: HeaderOf): PrintedEntry {
  const { n, at, type, node, waitingFor } = event
  const terminal = TERMINAL.some((end) => end === type)
  const waiting = type === 'queued' || waitingFor ? v.safeParse(RequestEvent, event) : undefined
  return {
    ...(sequence && { sequence }),
    n,
    at,
    type,
    terminal,
    text: sseOf(event),
    ...(type === 'started' && node && { started: { node, delivery: headerOf?.(DELIVERY_HEADER) || undefined } }),
    ...(waitingFor && { waitingFor }),
    ...(waiting?.success && { waiting: waiting.output }),
  }
}
