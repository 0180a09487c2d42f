import type { RequestId } from '@oriel/protocol/ids'
import { ProblemError } from '@oriel/protocol/problem'
import { BystanderError } from './bystander-error.ts'

/** Requests that are remembered; the oldest are forgotten first. */
const MAX_KEPT = 10_000
/** One loss without a culprit is chance, as when somebody kills a host; of two, it is one of those who were in both. */
const STRIKES = 2

/** Requests that have ended a host, or may have: whoever is suspected runs alone, so that it takes nobody with it. */
export class Suspects {
  readonly #strikes = new Map<RequestId, number>()

  has(id: RequestId): boolean {
    return (this.#strikes.get(id) ?? 0) >= STRIKES
  }

  /** @param outcome what a run of the request has thrown; `undefined` when it came to its end */
  ran(id: RequestId, outcome: unknown): void {
    const strikes = strikesOf(outcome)
    const before = this.#strikes.get(id) ?? 0
    this.#strikes.delete(id)
    if (strikes === 'none') return
    this.#strikes.set(id, before + strikes)
    for (const oldest of this.#strikes.keys()) {
      if (this.#strikes.size <= MAX_KEPT) break
      this.#strikes.delete(oldest)
    }
  }
}

function strikesOf(outcome: unknown): number | 'none' {
  if (outcome instanceof BystanderError) return outcome.suspect ? 1 : 0
  const lost = outcome instanceof ProblemError && ['host-crashed', 'host-hung'].includes(outcome.problem.kind)
  return lost ? STRIKES : 'none'
}
