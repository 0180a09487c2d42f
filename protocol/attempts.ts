import * as v from 'valibot'
import type { RequestEvent } from './event.ts'
import { Problem } from './problem.ts'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))

/** One attempt at a request, as its log tells it. */
export const Attempt = v.object({
  attempt: v.pipe(whole, v.minValue(1)),
  node: v.string(),
  startedAt: whole,
  /** Why it ended; none for one that ended without a word, or has not ended. */
  problem: v.optional(Problem),
})
export type Attempt = v.InferOutput<typeof Attempt>

/** The attempts in a log, in their order. Those that did not count have the number of the one after them. */
export function attemptsOf(events: Iterable<RequestEvent>): Attempt[] {
  const attempts: Attempt[] = []
  for (const event of events) {
    if (event.type === 'started') attempts.push({ attempt: event.attempt, node: event.node, startedAt: event.at })
    const last = attempts.at(-1)
    if (last && (event.type === 'retrying' || event.type === 'failed')) last.problem ??= event.problem
  }
  return attempts
}
