import { RequestEvent } from '@oriel/protocol/event'
import * as v from 'valibot'

/** An event as it stands in PROGRESS: with its stream sequence, which the fence and every cursor count in. */
export interface Entry {
  readonly sequence: number
  readonly event: RequestEvent
}

/** The same before anyone has read it: a relay passes payloads on as they are. */
export interface RawEntry {
  readonly sequence: number
  readonly payload: Uint8Array
}

// Between relay and actor an entry is a line: the sequence in decimal, a space, the event's JSON.
// JSON has no bare line feed, so nothing needs escaping.
const encoder = new TextEncoder()
const LINE_FEED = 10

export function encodeEntries(entries: readonly RawEntry[]): Uint8Array {
  const heads = entries.map(({ sequence }) => encoder.encode(`${sequence} `))
  const size = entries.reduce((sum, { payload }, index) => sum + (heads[index]?.length ?? 0) + payload.length + 1, 0)
  const lines = new Uint8Array(size)
  let at = 0
  for (const [index, { payload }] of entries.entries()) {
    const head = heads[index] ?? new Uint8Array()
    lines.set(head, at)
    lines.set(payload, at + head.length)
    at += head.length + payload.length + 1
    lines[at - 1] = LINE_FEED
  }
  return lines
}

/** @throws when the payload is not an event: only nodes and relays can write a log, so that is a bug */
export function parseEntry({ sequence, payload }: RawEntry): Entry {
  return { sequence, event: v.parse(RequestEvent, JSON.parse(new TextDecoder().decode(payload))) }
}

export interface SizedEntry extends Entry {
  /** What the event takes in memory, more or less. */
  readonly bytes: number
}

/** Takes bytes that are cut anywhere, and gives the entries that are whole. */
export class EntryDecoder {
  readonly #decoder = new TextDecoder()
  #rest = ''

  decode(chunk: Uint8Array): SizedEntry[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.map(decodeLine)
  }
}

function decodeLine(line: string): SizedEntry {
  const space = line.indexOf(' ')
  const event = v.parse(RequestEvent, JSON.parse(line.slice(space + 1)))
  return { sequence: Number(line.slice(0, space)), event, bytes: line.length }
}
