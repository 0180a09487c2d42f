import type { RequestEvent, Status, TerminalEvent } from './event.ts'
import { isTerminal } from './event.ts'

/** What a request's log says, folded from its events in order. */
export interface LogState {
  /** The number of the last event; 0 for an empty log. */
  readonly n: number
  readonly status: Status
  /** The last attempt that started; 0 before the first. */
  readonly attempt: number
  /** The number of the attempt that starts next. One that ended without a word counts; a `retrying` says otherwise. */
  readonly nextAttempt: number
  /** The number of the first attempt since the request was queued, which a requeue does again. */
  readonly firstAttempt: number
  readonly startedAt: number | undefined
  /** The last that was told of its place in the queue. */
  readonly position: number
  readonly terminal: TerminalEvent | undefined
}

export const EMPTY_LOG: LogState = {
  n: 0,
  status: 'accepted',
  attempt: 0,
  nextAttempt: 1,
  firstAttempt: 1,
  startedAt: undefined,
  position: 0,
  terminal: undefined,
}

/** Attempts that count against the budget, since the request was queued. */
export const attemptsSpent = ({ nextAttempt, firstAttempt }: LogState): number => nextAttempt - firstAttempt

/**
 * The state after one more event. A failed request may be queued again, and its log goes on; no other end is undone.
 * @throws Error when the event is not the next one, or follows the terminal one: the fence forbids both
 */
export function fold(state: LogState, event: RequestEvent): LogState {
  if (event.n !== state.n + 1) throw new Error(`event ${event.n} cannot follow event ${state.n}`)
  const requeued = state.status === 'failed' && event.type === 'queued'
  if (state.terminal && !requeued) throw new Error(`event ${event.n} follows the terminal one`)
  const next = { ...state, n: event.n }
  if (isTerminal(event)) return { ...next, status: event.type, terminal: event }
  if (event.type === 'queued') {
    const { position } = event
    if (requeued) return { ...next, position, status: 'queued', firstAttempt: state.nextAttempt, terminal: undefined }
    return { ...next, position, status: state.attempt > 0 ? state.status : 'queued' }
  }
  if (event.type === 'started') {
    const { attempt } = event
    const startedAt = state.startedAt ?? event.at
    return { ...next, status: 'started', attempt, nextAttempt: attempt + 1, startedAt }
  }
  if (event.type === 'retrying') return { ...next, status: 'retrying', nextAttempt: event.attempt }
  return next
}

export const foldAll = (events: Iterable<RequestEvent>): LogState => {
  let state = EMPTY_LOG
  for (const event of events) state = fold(state, event)
  return state
}
