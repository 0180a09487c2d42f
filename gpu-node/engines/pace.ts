import type { Clock } from '../clock.ts'

/** Lets one token through every so often, by a schedule: one that is late does not delay those after it. */
export class Pace {
  readonly #clock: Clock
  readonly #everyMs: number
  #dueAt: number

  /** @param perSecond 0: no schedule */
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#everyMs = perSecond > 0 ? 1000 / perSecond : 0
    this.#dueAt = clock.now()
  }

  /** @throws the signal's reason, as soon as it is aborted */
  async next(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#everyMs === 0) return
    const waitMs = this.#dueAt - this.#clock.now()
    this.#dueAt += this.#everyMs
    if (waitMs <= 0) return
    await new Promise<void>((resolve, reject) => {
      const cancel = this.#clock.setTimer(waitMs, () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      })
      const onAbort = () => {
        cancel()
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
