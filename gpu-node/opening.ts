import type { NewEvent, RequestEvent } from '@oriel/protocol/event'
import { failedBy } from '@oriel/protocol/failure'
import type { Job } from '@oriel/protocol/job'
import { attemptsSpent, type LogState } from '@oriel/protocol/log'
import type { Manifest } from '@oriel/protocol/manifest'
import type { Problem } from '@oriel/protocol/problem'
import type { Run } from './model-runner.ts'

/**
 * The event with which a node opens a job: `started`, or the end when there is nothing left to run.
 * @param manifest of the model, if this node has it
 */
export function openingEvent(
  job: Job,
  manifest: Manifest | undefined,
  node: string,
  now: number,
  state: LogState,
  events: readonly RequestEvent[],
): NewEvent {
  // All that a one-shot model says is in one event: after it, the last node had only `completed` left to write.
  const oneShot = manifest !== undefined && manifest.engine !== 'text-generation'
  if (oneShot && events.some(({ type }) => type === 'responses')) return { type: 'completed' }
  if (now >= job.deadlineAt) return { type: 'expired' }
  const spent = attemptsSpent(state)
  if (manifest && spent >= manifest.limits.attempts) {
    return failedBy(problemOfLast(events, spent))
  }
  return { type: 'started', node, attempt: state.nextAttempt }
}

/** Whose node said nothing more, whether it was killed by the request or died of something else, cannot be known. */
function problemOfLast(events: readonly RequestEvent[], spent: number): Problem {
  const last = events.findLast(({ type }) => type === 'started' || type === 'retrying')
  if (last?.type === 'retrying') return last.problem
  return { kind: 'host-crashed', detail: `The node of the last of ${spent} attempts ended without a word.` }
}

/** What earlier attempts have already said; a generation goes on from there. */
export function priorOf(events: readonly RequestEvent[]): Run['prior'] {
  const said = events.filter((event) => event.type === 'responses')
  return {
    tokens: said.flatMap(({ tokens }) => tokens ?? []),
    text: said.map(({ response }) => (typeof response === 'string' ? response : '')).join(''),
  }
}
