/**
 * What to do without when it does not answer. After a failure nobody asks for a while, so that an outage costs
 * one caller a wait, and not every caller.
 */
export class Breather {
  #restUntil = 0
  readonly #restMs: number
  readonly #now: () => number

  constructor(restMs: number, now: () => number = Date.now) {
    this.#restMs = restMs
    this.#now = now
  }

  /** @throws what `task` throws; before the rest is over, `refused` instead of asking */
  async run<T>(task: () => Promise<T>, refused: () => Error): Promise<T> {
    if (this.#now() < this.#restUntil) throw refused()
    try {
      const answer = await task()
      this.#restUntil = 0
      return answer
    } catch (error) {
      this.#restUntil = this.#now() + this.#restMs
      throw error
    }
  }
}
