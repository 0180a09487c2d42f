import * as v from 'valibot'

// What one user may ask for: a rate, requests at once, and bytes in a day. The rate is a token bucket: `burst`
// requests at once, refilled at `perSecond`. The day is UTC's.

const DAY_MS = 86_400_000
/** One of the bucket, which is a floating number: what Retry-After promised must be there then. */
const WHOLE = 1 - 1e-9
/** When one of the requests at once will end is not known. */
const CONCURRENT_RETRY_MS = 1_000

export interface Limits {
  readonly perSecond: number
  readonly burst: number
  readonly concurrent: number
  readonly bytesPerDay: number
}

/** What has been used; kept in storage. */
export const Meter = v.object({
  /** Requests left in the bucket at `at`, ms since the epoch. */
  tokens: v.number(),
  at: v.number(),
  /** Days since the epoch, and the bytes that were accepted in it. */
  day: v.number(),
  bytes: v.number(),
})
export type Meter = v.InferOutput<typeof Meter>

export const EMPTY_METER: Meter = { tokens: Number.MAX_SAFE_INTEGER, at: 0, day: 0, bytes: 0 }

export type LimitName = 'rate' | 'concurrent' | 'bytes'

/** One limit, and what is left of it. */
export interface Usage {
  readonly name: LimitName
  readonly quota: number
  readonly left: number
  /** Length of the window, s. */
  readonly windowS?: number
  /** Until all of the quota is there again, s. */
  readonly resetS?: number
}

export interface Refusal {
  readonly limit: LimitName
  readonly retryAfterMs: number
}

/** The meter as it stands at `now`: the bucket refilled, a new day begun. A clock that went back changes nothing. */
export function metered(meter: Meter, limits: Limits, now: number): Meter {
  const at = Math.max(now, meter.at)
  const refilled = meter.tokens + ((at - meter.at) / 1_000) * limits.perSecond
  const day = Math.max(Math.floor(now / DAY_MS), meter.day)
  return { tokens: Math.min(limits.burst, refilled), at, day, bytes: day === meter.day ? meter.bytes : 0 }
}

/**
 * One more request of `bytes`, with `open` under way.
 * @returns the limit that it would break; else `undefined`, and `spend` takes it
 */
export function refusalOf(meter: Meter, limits: Limits, open: number, bytes: number, now: number): Refusal | undefined {
  const { tokens, bytes: used } = metered(meter, limits, now)
  if (used + bytes > limits.bytesPerDay) return { limit: 'bytes', retryAfterMs: DAY_MS - (now % DAY_MS) }
  if (open >= limits.concurrent) return { limit: 'concurrent', retryAfterMs: CONCURRENT_RETRY_MS }
  if (tokens < WHOLE) return { limit: 'rate', retryAfterMs: Math.ceil(((1 - tokens) / limits.perSecond) * 1_000) }
  return undefined
}

/** Also of a request that was let through unasked: the bucket may then owe, up to as much as it holds. */
export function spend(meter: Meter, limits: Limits, bytes: number, now: number): Meter {
  const current = metered(meter, limits, now)
  return { ...current, tokens: Math.max(-limits.burst, current.tokens - 1), bytes: current.bytes + bytes }
}

/** Takes back what `spend` took at `spentAt`. */
export function refund(meter: Meter, limits: Limits, bytes: number, spentAt: number, now: number): Meter {
  const current = metered(meter, limits, now)
  const sameDay = Math.floor(spentAt / DAY_MS) === current.day
  return {
    ...current,
    tokens: Math.min(limits.burst, current.tokens + 1),
    bytes: sameDay ? Math.max(0, current.bytes - bytes) : current.bytes,
  }
}

export function usageOf(meter: Meter, limits: Limits, open: number, now: number): Usage[] {
  const { tokens, bytes } = metered(meter, limits, now)
  return [
    {
      name: 'rate',
      quota: limits.burst,
      windowS: Math.ceil(limits.burst / limits.perSecond),
      left: Math.max(0, Math.floor(tokens)),
      resetS: Math.ceil((limits.burst - tokens) / limits.perSecond),
    },
    { name: 'concurrent', quota: limits.concurrent, left: Math.max(0, limits.concurrent - open) },
    {
      name: 'bytes',
      quota: limits.bytesPerDay,
      windowS: DAY_MS / 1_000,
      left: Math.max(0, limits.bytesPerDay - bytes),
      resetS: Math.ceil((DAY_MS - (now % DAY_MS)) / 1_000),
    },
  ]
}

export function describeRefusal({ limit }: Refusal, limits: Limits): string {
  switch (limit) {
    case 'rate':
      return `You may send ${limits.perSecond} requests a second, and ${limits.burst} at once after a pause.`
    case 'concurrent':
      return `You may have ${limits.concurrent} requests under way; wait for one to end, or cancel one.`
    case 'bytes':
      return `You may send ${limits.bytesPerDay} bytes of requests in a day (UTC).`
  }
}
