import { DurationModel } from './duration-model.ts'

/** ms. Less than what it takes to come back to a timer is no window. */
const LEAST_MS = 0.05
const MIN_TRUST = 0.02

export interface Gathering {
  /** How long the next batch may be held back. */
  readonly ms: number
  /** With so many waiting it goes at once. */
  readonly rows: number
}

/**
 * Whether the batch after one that ended should wait a little for the callers who have just been answered.
 *
 * They tend to ask again at once. Without waiting, those who came during the run go alone and the others miss them, and
 * so it goes on, half and half: every run is paid for twice. Waiting pays while it is shorter than what is saved, which
 * is the fixed cost of a run; so the window is that cost, learned, times a trust that grows when the callers did come
 * back in time and shrinks when they did not. A model that nothing runs on has no window: it never waits.
 */
export class GatherWindow {
  readonly durations = new DurationModel()
  readonly #maxDelayMs: number
  #trust = 0.5

  constructor(maxDelayMs: number) {
    this.#maxDelayMs = maxDelayMs
  }

  /**
   * A batch has ended.
   * @param waiting rows that came while it ran
   * @returns `undefined`: the next goes as soon as there is one
   */
  ended(rows: number, measuredMs: number, waiting: number, maxBatch: number): Gathering | undefined {
    this.durations.learn(rows, measuredMs)
    const expected = Math.min(maxBatch, rows + waiting)
    if (expected <= 1 || waiting >= expected) return undefined
    const ms = Math.min(this.#maxDelayMs, this.durations.fixedMs * this.#trust)
    if (ms >= LEAST_MS) return { ms, rows: expected }
    this.#trust = Math.min(1, this.#trust * 1.01) // so that it is tried again some day
    return undefined
  }

  /** @param share of the rows that were waited for, how many came */
  gathered(share: number): void {
    this.#trust = share >= 0.5 ? Math.min(1, this.#trust * 1.2) : Math.max(MIN_TRUST, this.#trust * 0.8)
  }
}
