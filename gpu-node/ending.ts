import { attemptsOf } from '@oriel/protocol/attempts'
import type { Dead } from '@oriel/protocol/dead'
import type { RequestEvent } from '@oriel/protocol/event'
import { type Ended, endedFacts } from '@oriel/protocol/fact'
import type { Job } from '@oriel/protocol/job'
import type { Outcomes } from './outcomes.ts'

/** A request that has ended, and what the others are told of it. */
export interface Ending {
  readonly job: Job
  /** The whole log. */
  readonly events: readonly RequestEvent[]
  readonly facts: readonly Ended[]
  readonly dead: Dead | undefined
}

/** @param deliveries how often the job was delivered @throws Error when the log has no terminal event */
export function endingOf(job: Job, events: readonly RequestEvent[], node: string, deliveries: number): Ending {
  const last = events.at(-1)
  const dead: Dead | undefined =
    last?.type === 'failed'
      ? { at: last.at, node, deliveries, problem: last.problem, attempts: attemptsOf(events), job }
      : undefined
  return { job, events, facts: endedFacts(job.id, events), dead }
}

/** Resolves when the broker has it. It may be told again: the broker keeps each once. */
export async function tellEnding(outcomes: Outcomes, ending: Ending, signal: AbortSignal): Promise<void> {
  const { job, events, facts, dead } = ending
  if (dead) await outcomes.dead(job.model, job.id, `${events.at(-1)?.n}`, dead, signal)
  await outcomes.ended(facts, signal)
}
