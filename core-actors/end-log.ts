import type { NewEvent, RequestEvent } from '@oriel/protocol/event'
import { isTerminal } from '@oriel/protocol/event'
import type { RawPage } from './log-store.ts'
import { type LogSoFar, readOn } from './read-on.ts'

export interface EndPort {
  /** What clients were told while the request waited, from the first event on, as far as that is known here. */
  readonly told: readonly RequestEvent[]
  read(after: number): Promise<RawPage>
  readonly append: (event: RequestEvent, last: number) => Promise<number | 'fenced'>
  now(): number
}

export interface Ending {
  /** The terminal event: ours, or the one that was there first. */
  readonly event: RequestEvent
  /** The whole log with it. */
  readonly events: RequestEvent[]
}

/** A node that writes as fast as it can wins some races for the next number, but not all of these. */
const MAX_TRIES = 100

/**
 * Writes the last event of a log that another may be writing too. The fence decides: whoever is
 * refused reads on and tries again, and a node that is refused by a terminal event stops.
 * @throws when the log cannot be read or written
 */
export async function endLog(port: EndPort, ending: NewEvent): Promise<Ending> {
  let log: LogSoFar | undefined
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    log = await restored(port, await readOn((after) => port.read(after), log))
    if (!log) continue
    const { events, sequence } = log
    const last = events.at(-1)
    if (last && isTerminal(last)) return { event: last, events }
    const event: RequestEvent = { ...ending, n: (last?.n ?? 0) + 1, at: port.now() }
    const appended = await port.append(event, sequence)
    if (appended !== 'fenced') return { event, events: [...events, event] }
  }
  throw new Error(`the log could not be ended in ${MAX_TRIES} tries`)
}

/**
 * A log that the broker has lost begins as it began for clients: else an end would have a number that they know as
 * another event's, and they would never hear of it. @returns `undefined` when somebody else writes it
 */
async function restored({ told, append }: EndPort, log: LogSoFar): Promise<LogSoFar | undefined> {
  const { events } = log
  if (
    !events.every(
      ({ n, at, type }, index) => n === told[index]?.n && at === told[index].at && type === told[index].type,
    )
  )
    return log
  let { sequence } = log
  for (const event of told.slice(events.length)) {
    const appended = await append(event, sequence)
    if (appended === 'fenced') return undefined
    sequence = appended
  }
  return { events: [...told], sequence }
}
