/** Sums over the predictions of one version that a relay has passed on. */
export interface PredictionCount {
  readonly model: string
  readonly version: string
  /** ms since the epoch */
  readonly lastAt: number
  readonly answered: { readonly count: number; readonly ms: number }
  readonly failed: { readonly count: number; readonly ms: number }
}

/** Those asked longest ago make room. */
const MAX_VERSIONS = 10_000

/** What became of the predictions that a relay has passed on, since it began. */
export class PredictionCounts {
  readonly #counts = new Map<string, PredictionCount>()

  add(model: string, version: string, outcome: 'answered' | 'failed', ms: number, now: number): void {
    const key = `${model}/${version}`
    const none = { count: 0, ms: 0 }
    const before = this.#counts.get(key) ?? { model, version, lastAt: 0, answered: none, failed: none }
    this.#counts.delete(key)
    if (this.#counts.size >= MAX_VERSIONS) this.#counts.delete(this.#counts.keys().next().value ?? key)
    const { count, ms: sum } = before[outcome]
    this.#counts.set(key, { ...before, lastAt: now, [outcome]: { count: count + 1, ms: sum + ms } })
  }

  all(): PredictionCount[] {
    return [...this.#counts.values()]
  }
}
