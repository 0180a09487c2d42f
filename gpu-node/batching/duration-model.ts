/** How much a batch of long ago counts after each newer one. */
const DECAY = 0.97
/** A batch that took so many times as long as predicted met something else, as a load or a busy machine. */
const OUTLIER = 4
const MIN_SAMPLES = 5

/**
 * How long a batch takes by its rows, learned from those that ran: `fixed + perRow × rows`, the line of least squares
 * with the past fading away, as in BentoML's dispatcher.
 */
export class DurationModel {
  #weight = 0
  #rows = 0
  #ms = 0
  #rowsSquared = 0
  #rowsMs = 0
  #samples = 0
  #fixedMs: number | undefined

  /** ms that a run costs whatever its rows; 0 until batches of several sizes have told. */
  get fixedMs(): number {
    return this.#fixedMs ?? 0
  }

  /** ms of a batch of so many rows; `undefined` until one ran. */
  predict(rows: number): number | undefined {
    if (this.#weight === 0) return undefined
    const fixed = this.#fixedMs ?? 0
    return fixed + (Math.max(0, this.#ms / this.#weight - fixed) / (this.#rows / this.#weight)) * rows
  }

  learn(rows: number, measuredMs: number): void {
    // The first one may have loaded the model.
    if (this.#samples++ === 0) return
    const expected = this.#samples > MIN_SAMPLES ? this.predict(rows) : undefined
    const ms = expected === undefined ? measuredMs : Math.min(measuredMs, expected * OUTLIER)
    this.#weight = this.#weight * DECAY + 1
    this.#rows = this.#rows * DECAY + rows
    this.#ms = this.#ms * DECAY + ms
    this.#rowsSquared = this.#rowsSquared * DECAY + rows * rows
    this.#rowsMs = this.#rowsMs * DECAY + rows * ms
    this.#fit()
  }

  #fit(): void {
    const rows = this.#rows / this.#weight
    const ms = this.#ms / this.#weight
    const variance = this.#rowsSquared / this.#weight - rows * rows
    // Where all are of one size, nothing tells what is fixed: what was learned before stays.
    if (variance < 0.01) return
    const slope = Math.max(0, (this.#rowsMs / this.#weight - rows * ms) / variance)
    this.#fixedMs = Math.max(0, ms - slope * rows)
  }
}
