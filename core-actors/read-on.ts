import type { RequestEvent } from '@oriel/protocol/event'
import { parseEntry } from './log-entry.ts'
import type { RawPage } from './log-store.ts'

/** Events of a log, and the stream sequence of the last, which its next writer must name. */
export interface LogSoFar {
  readonly events: RequestEvent[]
  readonly sequence: number
}

/** The log to its end, behind what is known of it. @throws when it cannot be read */
export async function readOn(
  read: (after: number) => Promise<RawPage>,
  { events, sequence }: LogSoFar = { events: [], sequence: 0 },
): Promise<LogSoFar> {
  const all = [...events]
  let last = sequence
  for (let more = true; more; ) {
    const page = await read(last)
    for (const raw of page.entries) {
      const entry = parseEntry(raw)
      all.push(entry.event)
      last = entry.sequence
    }
    more = page.more
  }
  return { events: all, sequence: last }
}
