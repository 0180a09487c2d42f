/** What the broker said of a lane's consumer: how many deliveries it has made, ever. */
export interface Sample {
  readonly at: number
  readonly delivered: number
}

/** What is older says nothing about now. */
const WINDOW_MS = 15_000
/** Less tells no rate: a slow model takes a job every few seconds. */
const LEAST_MS = 3_000

const MIN_RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000
/** While the rate is not known. */
const UNKNOWN_RETRY_MS = 2_000

/** The samples of the window with one more. A consumer that was made anew counts from the beginning. */
export function sampled(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const last = samples.at(-1)
  if (last && next.delivered < last.delivered) return [next]
  return [...samples.filter(({ at }) => next.at - at <= WINDOW_MS), next]
}

/** Jobs that nodes take in a second; `undefined`: not known. */
export function drainRate(samples: readonly Sample[], now: number): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)]
  if (!first || !last || last.at - first.at < LEAST_MS || now - last.at > WINDOW_MS) return undefined
  return ((last.delivered - first.delivered) * 1000) / (last.at - first.at)
}

/**
 * When one who is refused now may come back: there is room for one each time a job is taken, so everyone who is
 * refused is given a place of his own, behind those who were told before.
 * @param promisedAt what the last one was told, as a time
 */
export function roomAt(rate: number | undefined, promisedAt: number, now: number): number {
  if (rate === undefined) return Math.max(promisedAt, now + UNKNOWN_RETRY_MS)
  const next = Math.max(now, promisedAt) + (rate > 0 ? 1000 / rate : MAX_RETRY_MS)
  return Math.min(next, now + MAX_RETRY_MS)
}

export const retryAfterMs = (at: number, now: number): number =>
  Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, Math.ceil(at - now)))
