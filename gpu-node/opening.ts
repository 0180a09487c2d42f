import type { NewEvent, RequestEvent } from '@oriel/protocol/event'
import type { Job } from '@oriel/protocol/job'
import type { LogState } from '@oriel/protocol/log'
import type { EngineName } from '@oriel/protocol/manifest'
import type { Run } from './model-runner.ts'

/**
 * The event with which a node opens a job: `started`, or the end when there is nothing left to run.
 * @param engine of the model, if this node has it
 */
export function openingEvent(
  job: Job,
  engine: EngineName | undefined,
  node: string,
  now: number,
  state: LogState,
  events: readonly RequestEvent[],
): NewEvent {
  // All that a one-shot model says is in one event: after it, the last node had only `completed` left to write.
  const oneShot = engine !== undefined && engine !== 'text-generation'
  if (oneShot && events.some(({ type }) => type === 'responses')) return { type: 'completed' }
  if (now >= job.deadlineAt) return { type: 'expired' }
  return { type: 'started', node, attempt: state.attempt + 1 }
}

/** What earlier attempts have already said; a generation goes on from there. */
export function priorOf(events: readonly RequestEvent[]): Run['prior'] {
  const said = events.filter((event) => event.type === 'responses')
  return {
    tokens: said.flatMap(({ tokens }) => tokens ?? []),
    text: said.map(({ response }) => (typeof response === 'string' ? response : '')).join(''),
  }
}
