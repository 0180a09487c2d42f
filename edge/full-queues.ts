import type { Problem } from '@oriel/protocol/problem'
import type { Lane } from '@oriel/protocol/subjects'

/** How long one refusal answers for those that follow. Room that comes meanwhile is found this much later. */
const BELIEVED_MS = 500
const MAX_QUEUES = 10_000

/**
 * Queues that refused a job a moment ago. What a flood sends to them is refused here, before an actor is made for
 * it: an object for every refusal would cost more than the request.
 */
export class FullQueues {
  readonly #refusals = new Map<string, { problem: Problem; until: number }>()

  /** What a submit was answered. @param now ms since the epoch */
  refused(model: string, lane: Lane, problem: Problem, now: number): void {
    if (problem.kind !== 'queue-full') return
    if (this.#refusals.size >= MAX_QUEUES) this.#refusals.clear()
    this.#refusals.set(`${lane}.${model}`, { problem, until: now + BELIEVED_MS })
  }

  refusal(model: string, lane: Lane, now: number): Problem | undefined {
    const last = this.#refusals.get(`${lane}.${model}`)
    return last && now < last.until ? last.problem : undefined
  }
}
