import { ProblemError } from '@oriel/protocol/problem'

/**
 * What to do without when it does not answer. After an outage nobody asks for a while, and then one caller at a time, so
 * that an outage costs one caller a wait, and not every caller.
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
    // The others rest on while this one waits; a Worker may end it before it has an answer, so not for longer.
    if (this.#restUntil > 0) this.#restUntil = this.#now() + this.#restMs
    try {
      const answer = await task()
      this.#restUntil = 0
      return answer
    } catch (error) {
      // Anything else is a bug, and no reason to leave others without an answer.
      const away = error instanceof ProblemError && error.problem.kind === 'unavailable'
      if (away) this.#restUntil = this.#now() + this.#restMs
      throw error
    }
  }
}
