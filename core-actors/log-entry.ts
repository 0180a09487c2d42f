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
const decoder = new TextDecoder()
const LINE_FEED = 10

export function encodeEntry({ sequence, payload }: RawEntry): Uint8Array {
  const head = encoder.encode(`${sequence} `)
  const line = new Uint8Array(head.length + payload.length + 1)
  line.set(head)
  line.set(payload, head.length)
  line[line.length - 1] = LINE_FEED
  return line
}

/** @throws when the payload is not an event: only nodes and relays can write a log, so that is a bug */
export function parseEntry({ sequence, payload }: RawEntry): Entry {
  return { sequence, event: v.parse(RequestEvent, JSON.parse(decoder.decode(payload))) }
}

/** Entries from a stream of bytes that is cut anywhere. */
export async function* decodeEntries(stream: ReadableStream<Uint8Array>): AsyncGenerator<Entry & { bytes: number }> {
  let rest: Uint8Array = new Uint8Array()
  for await (const chunk of stream) {
    const bytes = rest.length === 0 ? chunk : concat(rest, chunk)
    let start = 0
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      yield decodeLine(bytes.subarray(start, end))
      start = end + 1
    }
    rest = bytes.slice(start)
  }
}

function decodeLine(line: Uint8Array): Entry & { bytes: number } {
  const text = decoder.decode(line)
  const space = text.indexOf(' ')
  const event = v.parse(RequestEvent, JSON.parse(text.slice(space + 1)))
  return { sequence: Number(text.slice(0, space)), event, bytes: line.length }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
