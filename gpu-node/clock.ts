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

/** For what is shorter than a timer can tell: below 2 ms it asks the event loop, turn by turn. */
export const fineClock: Clock = {
  now: () => performance.now(),
  setTimer(ms, fire) {
    if (ms >= 2) return systemClock.setTimer(ms, fire)
    const due = performance.now() + ms
    const look = () => {
      if (performance.now() >= due) fire()
      else turn = setImmediate(look)
    }
    let turn = setImmediate(look)
    return () => clearImmediate(turn)
  },
}
