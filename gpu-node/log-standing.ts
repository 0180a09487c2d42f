import { isTerminal, type RequestEvent } from '@oriel/protocol/event'
import { sameEvent } from './same-event.ts'

/** How the log that the broker has stands to the one that an author knows. */
export type Standing =
  /** It goes on from ours, perhaps with nothing. */
  | { readonly kind: 'ahead'; readonly news: readonly RequestEvent[] }
  /** The broker has lost ours, and `events` is what it should have: they begin as its log does. */
  | { readonly kind: 'lost'; readonly events: readonly RequestEvent[] }
  /** The broker has lost ours, and another log stands in its place for good. */
  | { readonly kind: 'replaced' }

/**
 * A log that the broker lost is written again by whoever has it, with the same numbers: clients have them. A relay
 * may have begun it anew meanwhile; what it says means nothing to a client, and stands for ours of the same numbers
 * if those mean nothing either.
 */
export function standingOf(ours: readonly RequestEvent[], theirs: readonly RequestEvent[]): Standing {
  const last = ours.at(-1)
  if (!last) return { kind: 'ahead', news: theirs }
  const same = theirs.find(({ n }) => n === last.n)
  if (same && sameEvent(same, last)) return { kind: 'ahead', news: theirs.filter(({ n }) => n > last.n) }
  if (ours[0]?.n !== 1 || (theirs[0] && theirs[0].n !== 1)) return { kind: 'replaced' }
  const begun = theirs.findIndex((event, index) => !isSame(event, ours[index]))
  if (begun < 0) return { kind: 'lost', events: ours }
  const differs = theirs.slice(begun)
  const covered = ours.slice(begun, theirs.length)
  if (!differs.every(isRelays) || !covered.every(isSilent)) return { kind: 'replaced' }
  return { kind: 'lost', events: [...theirs, ...ours.slice(theirs.length)] }
}

const isSame = (a: RequestEvent, b: RequestEvent | undefined): boolean => b !== undefined && sameEvent(a, b)

/** What a relay says of a request that waits. */
export const isRelays = (event: RequestEvent): boolean =>
  event.type === 'queued' || (event.type === 'progress' && event.waitingFor !== undefined)

/** Without a part of the answer, or its end. */
const isSilent = (event: RequestEvent): boolean => event.type !== 'responses' && !isTerminal(event)
