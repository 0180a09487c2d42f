import type { Clock } from '../clock.ts'

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now: number
  #timers = new Set<{ at: number; fire: () => void }>()

  constructor(now = 1_700_000_000_000) {
    this.#now = now
  }

  now = () => this.#now

  setTimer(ms: number, fire: () => void): () => void {
    const timer = { at: this.#now + ms, fire }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** How many timers are set: 0 when nothing was left behind. */
  get timers(): number {
    return this.#timers.size
  }

  /** Fires what falls due within `ms`, in order, and lets each one's promises settle before the next. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    await settled()
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)
      if (!next) break
      this.#timers.delete(next)
      this.#now = next.at
      next.fire()
      await settled()
    }
    this.#now = until
    await settled()
  }
}

/** After everything that needs no time and no I/O has happened. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
