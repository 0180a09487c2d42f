/** Time comes in, so that tests move it by hand. */
export interface Clock {
  /** ms since the epoch */
  now(): number
  /** Calls `fire` once after `ms`; the answer takes that back. */
  setTimer(ms: number, fire: () => void): () => void
}

export const systemClock: Clock = {
  now: Date.now,
  setTimer(ms, fire) {
    const timer = setTimeout(fire, ms)
    return () => clearTimeout(timer)
  },
}
