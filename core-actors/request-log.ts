import type { RequestEvent } from '@oriel/protocol/event'
import type { RequestId } from '@oriel/protocol/ids'
import { foldAll } from '@oriel/protocol/log'
import type { RelayPort } from './relay-port.ts'

/** @throws when the log cannot be read */
export async function readLog(relay: Pick<RelayPort, 'read'>, id: RequestId): Promise<RequestEvent[]> {
  const events: RequestEvent[] = []
  let after = 0
  for (let more = true; more; ) {
    const page = await relay.read(id, after)
    if (!page.ok) throw new Error(page.problem.detail)
    events.push(...page.entries.map(({ event }) => event))
    after = page.entries.at(-1)?.sequence ?? after
    more = page.more
  }
  return events
}

/** The log of a request that has ended; `undefined` when the broker has not all of it any more, or is away. */
export async function readEndedLog(relay: Pick<RelayPort, 'read'>, id: RequestId): Promise<RequestEvent[] | undefined> {
  try {
    const events = await readLog(relay, id)
    return events[0]?.n === 1 && foldAll(events).terminal ? events : undefined
  } catch (error) {
    console.warn('the log of an ended request cannot be read; the record is asked', error)
    return undefined
  }
}
