import type { RequestEvent } from '@oriel/protocol/event'
import { isTerminal } from '@oriel/protocol/event'
import { DUPLICATE_WINDOW_MS } from '@oriel/protocol/streams'
import type { End } from './request.ts'
import { endOf } from './request.ts'

/** What an actor sees of its open request when it looks after it. */
export interface Sighting {
  /** The last event of its log, if the broker has any. */
  readonly last: RequestEvent | undefined
  /** Of one that was queued again: the end that its log goes on after. */
  readonly undone: End | undefined
  /** The broker did not confirm the job or the fact. */
  readonly unsure: boolean
  /** The broker was known to have the log. */
  readonly begun: boolean
  readonly sentAt: number
  /** When the job was last sent by this actor, if it knows. */
  readonly dispatchedAt: number | undefined
  /** When the broker began the queue of its model; only of a request that is quiet, and if the broker said so. */
  readonly queueSince: number | undefined
  readonly now: number
}

/**
 * `end`: its end was missed. `take-up`: its log has to go on after this end. `send`: the job and the fact are sent
 * (again). `accept`: the fact is. `lost`: the broker has lost its state, and maybe tells repeats of what went with it.
 */
export type Remedy =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'end'; readonly end: End }
  | { readonly kind: 'take-up'; readonly end: End; readonly lost: boolean }
  | { readonly kind: 'send'; readonly lost: boolean }
  | { readonly kind: 'accept' }

/** Whoever has a request in hand says something more often; whoever had it is no longer waited for by the broker. */
const QUIET_MS = 12_000

/** What an open request needs that nobody may be streaming. */
export function remedyFor(sighting: Sighting): Remedy {
  const { last, undone, unsure, begun, sentAt, now } = sighting
  const goneOn = last !== undefined && isAfter(last, undone)
  if (goneOn && isTerminal(last)) return { kind: 'end', end: endOf(last) }
  const lost = last ? isJobLost(sighting) : begun
  // Not from the first event on: the record has the log up to the end that was undone, and numbers to go on from.
  if (!goneOn && undone) return { kind: 'take-up', end: undone, lost }
  // While the broker still tells repeats, one more costs nothing: a crash between log and job is mended so.
  const repeatable = now - sentAt < DUPLICATE_WINDOW_MS
  if (!last || lost || (last.type === 'queued' && (unsure || repeatable))) return { kind: 'send', lost }
  return unsure ? { kind: 'accept' } : { kind: 'nothing' }
}

/** Nobody seems to have the request in hand: whether its queue still has it is worth asking. */
export function isQuiet({ last, undone, now }: Pick<Sighting, 'last' | 'undone' | 'now'>): boolean {
  if (!last || isTerminal(last) || !isAfter(last, undone)) return false
  return now >= last.at + QUIET_MS + (last.type === 'retrying' ? last.inMs : 0)
}

/**
 * A node writes a log again that the broker has lost, but not its job: should nobody have it in hand any more, nobody
 * ever will.
 */
function isJobLost({ queueSince, dispatchedAt, sentAt, ...seen }: Sighting): boolean {
  return isQuiet(seen) && queueSince !== undefined && queueSince > (dispatchedAt ?? sentAt)
}

const isAfter = (event: RequestEvent, undone: End | undefined): boolean =>
  !undone || event.type !== 'failed' || event.n > undone.n
