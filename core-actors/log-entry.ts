import { RequestEvent, TERMINAL } from '@oriel/protocol/event'
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
}

/** The same as clients get it: printed once, however many stream it. */
export interface PrintedEntry {
  readonly sequence: number
  /** Number of the event within its request. */
  readonly n: number
  readonly at: number
  readonly type: string
  /** Nothing follows it. */
  readonly terminal: boolean
  readonly bytes: Uint8Array
}

/** What every event has. A type that is not known here is passed on: a newer node may have made it. */
const AnyEvent = v.looseObject({ n: v.number(), at: v.number(), type: v.string() })

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** @throws when the payload is not an event: only nodes and relays can write a log, so that is a bug */
export function parseEntry({ sequence, payload }: RawEntry): Entry {
  return { sequence, event: v.parse(RequestEvent, JSON.parse(decoder.decode(payload))) }
}

/** @throws likewise */
export function printEntry({ sequence, payload }: RawEntry): PrintedEntry {
  const event = v.parse(AnyEvent, JSON.parse(decoder.decode(payload)))
  const { n, at, type } = event
  return { sequence, n, at, type, terminal: TERMINAL.some((end) => end === type), bytes: encoder.encode(sseOf(event)) }
}
