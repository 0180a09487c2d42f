import type { RequestEvent, Terminal, TerminalEvent } from './event.ts'
import { isTerminal } from './event.ts'
import { failedBy } from './failure.ts'
import type { Problem } from './problem.ts'

const problem: Problem = {
  kind: 'answer-lost',
  detail: 'The request ended so, but its events were lost before they were recorded. Send it again to have its answer.',
}

/**
 * All that the record has of a request whose log is lost: how it ended, when, and under which number. It stands there
 * without the events before it, and says so: an answer that is not there is no empty answer.
 */
export function lostEnd({ status, n, at }: { status: Terminal; n: number; at: number }): TerminalEvent {
  return status === 'failed' ? { n, at, ...failedBy(problem) } : { n, at, type: status, problem }
}

export const isLostEnd = (event: RequestEvent): boolean => isTerminal(event) && event.problem?.kind === problem.kind
