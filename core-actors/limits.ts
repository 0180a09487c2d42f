import { Limits } from '@oriel/protocol/limits'
import * as v from 'valibot'

// What a user, or one key of theirs, may ask for: a rate, requests at once, and bytes in a day. The rate is a token
// bucket: `burst` requests at once, refilled at `perSecond`. The day is UTC's.

const DAY_MS = 86_400_000
/** One of the bucket, which is a floating number: what Retry-After promised must be there then. */
const WHOLE = 1 - 1e-9
/** When one of the requests at once will end is not known. */
const CONCURRENT_RETRY_MS = 1_000

/** A key that has limits of its own. */
export const KeyAllowance = v.object({ id: v.string(), limits: Limits })
export type KeyAllowance = v.InferOutput<typeof KeyAllowance>

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

/** Whose limits: the user's, or those of the key that the request came with. */
export type Whose = 'user' | 'key'

/** One limit, and what is left of it. */
export interface Usage {
  /** The user's unless it says otherwise. */
  readonly whose?: Whose
  readonly name: LimitName
  readonly quota: number
  readonly left: number
  /** Length of the window, s. */
  readonly windowS?: number
  /** Until all of the quota is there again, s. */
  readonly resetS?: number
}

/** Of a rate and of bytes. */
export interface Share {
  readonly requests: number
  readonly bytes: number
}

export interface Refusal {
  readonly limit: LimitName
  readonly retryAfterMs: number
}

/** The meter as it stands at `now`: the bucket refilled, a new day begun. A clock that went back changes nothing. */
export function metered(meter: Meter, limits: Limits, now: number): Meter {
  const at = Math.max(now, meter.at)
  const tokens = refilled(meter, limits, at)
  const day = Math.max(Math.floor(now / DAY_MS), meter.day)
  return { tokens, at, day, bytes: day === meter.day ? meter.bytes : 0 }
}

/** Without a rate there is no bucket: it is full for ever. */
function refilled({ tokens, at }: Meter, { rate }: Limits, now: number): number {
  return rate ? Math.min(rate.burst, tokens + ((now - at) / 1_000) * rate.perSecond) : EMPTY_METER.tokens
}

/**
 * One more request of `bytes`, with `open` under way.
 * @returns the limit that it would break, of several the one that lasts longest; else `undefined`, and `spend` takes it
 */
export function refusalOf(meter: Meter, limits: Limits, open: number, bytes: number, now: number): Refusal | undefined {
  const { tokens, bytes: used } = metered(meter, limits, now)
  const { rate, concurrent = Infinity, bytesPerDay = Infinity } = limits
  const refusals: Refusal[] = []
  if (used + bytes > bytesPerDay) refusals.push({ limit: 'bytes', retryAfterMs: DAY_MS - (now % DAY_MS) })
  if (open >= concurrent) refusals.push({ limit: 'concurrent', retryAfterMs: CONCURRENT_RETRY_MS })
  if (rate && tokens < WHOLE) {
    refusals.push({ limit: 'rate', retryAfterMs: Math.ceil(((1 - tokens) / rate.perSecond) * 1_000) })
  }
  return longest(refusals)
}

/** Whoever is refused for several reasons must wait for the last of them. */
export const longest = <R extends Refusal>(refusals: readonly R[]): R | undefined =>
  refusals.toSorted((a, b) => b.retryAfterMs - a.retryAfterMs)[0]

/** What is left of the rate and of the bytes, however many are under way. */
export function roomOf(meter: Meter, limits: Limits, now: number): Share {
  const { tokens, bytes } = metered(meter, limits, now)
  return {
    requests: limits.rate ? Math.max(0, Math.floor(tokens + 1 - WHOLE)) : Infinity,
    bytes: limits.bytesPerDay === undefined ? Infinity : Math.max(0, limits.bytesPerDay - bytes),
  }
}

/** Also of a request that was let through unasked: the bucket may then owe, up to as much as it holds. */
export function spend(meter: Meter, limits: Limits, bytes: number, now: number, requests = 1): Meter {
  const current = metered(meter, limits, now)
  const { rate } = limits
  const tokens = rate ? Math.max(-rate.burst, current.tokens - requests) : current.tokens
  return { ...current, tokens, bytes: current.bytes + bytes }
}

/** Takes back what `spend` took at `spentAt`. */
export function refund(meter: Meter, limits: Limits, bytes: number, spentAt: number, now: number, requests = 1): Meter {
  const current = metered(meter, limits, now)
  const sameDay = Math.floor(spentAt / DAY_MS) === current.day
  return {
    ...current,
    tokens: limits.rate ? Math.min(limits.rate.burst, current.tokens + requests) : current.tokens,
    bytes: sameDay ? Math.max(0, current.bytes - bytes) : current.bytes,
  }
}

export function usageOf(meter: Meter, limits: Limits, open: number, now: number): Usage[] {
  const { tokens, bytes } = metered(meter, limits, now)
  const { rate, concurrent, bytesPerDay } = limits
  const usage: Usage[] = []
  if (rate) {
    usage.push({
      name: 'rate',
      quota: rate.burst,
      windowS: Math.ceil(rate.burst / rate.perSecond),
      left: Math.max(0, Math.floor(tokens)),
      resetS: Math.ceil((rate.burst - tokens) / rate.perSecond),
    })
  }
  if (concurrent !== undefined) {
    usage.push({ name: 'concurrent', quota: concurrent, left: Math.max(0, concurrent - open) })
  }
  if (bytesPerDay !== undefined) {
    usage.push({
      name: 'bytes',
      quota: bytesPerDay,
      windowS: DAY_MS / 1_000,
      left: Math.max(0, bytesPerDay - bytes),
      resetS: Math.ceil((DAY_MS - (now % DAY_MS)) / 1_000),
    })
  }
  return usage
}

export function describeRefusal({ limit }: Refusal, whose: Whose, { rate, concurrent, bytesPerDay }: Limits): string {
  const who = whose === 'key' ? 'This API key' : 'You'
  switch (limit) {
    case 'rate':
      return `${who} may send ${rate?.perSecond} requests a second, and ${rate?.burst} at once after a pause.`
    case 'concurrent':
      return `${who} may have ${concurrent} requests under way; wait for one to end, or cancel one.`
    case 'bytes':
      return `${who} may send ${bytesPerDay} bytes of requests in a day (UTC).`
  }
}
