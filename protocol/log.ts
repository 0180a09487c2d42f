import type { RequestEvent, Status, TerminalEvent } from './event.ts'
import { isTerminal } from './event.ts'

/** What a request's log says, folded from its events in order. */
export interface LogState {
  /** The number of the last event; 0 for an empty log. */
  readonly n: number
  readonly status: Status
  /** The last attempt that started; 0 before the first. */
  readonly attempt: number
  readonly startedAt: number | undefined
  /** The last that was told of its place in the queue. */
  readonly position: number
  readonly terminal: TerminalEvent | undefined
}

export const EMPTY_LOG: LogState = {
  n: 0,
  status: 'accepted',
  attempt: 0,
  startedAt: undefined,
  position: 0,
  terminal: undefined,
}

/**
 * The state after one more event.
 * @throws Error when the event is not the next one, or follows the terminal one: the fence forbids both
 */
export function fold(state: LogState, event: RequestEvent): LogState {
  if (event.n !== state.n + 1) throw new Error(`event ${event.n} cannot follow event ${state.n}`)
  if (state.terminal) throw new Error(`event ${event.n} follows the terminal one`)
  const next = { ...state, n: event.n }
  if (isTerminal(event)) return { ...next, status: event.type, terminal: event }
  if (event.type === 'queued') {
    return { ...next, position: event.position, status: state.attempt > 0 ? state.status : 'queued' }
  }
  if (event.type === 'started') {
    return { ...next, status: 'started', attempt: event.attempt, startedAt: state.startedAt ?? event.at }
  }
  return next
}

export const foldAll = (events: Iterable<RequestEvent>): LogState => {
  let state = EMPTY_LOG
  for (const event of events) state = fold(state, event)
  return state
}
