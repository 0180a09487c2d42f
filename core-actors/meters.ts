import type { Limits } from '@oriel/protocol/limits'
import type { KeyAllowance, Meter, Refusal, Share, Usage, Whose } from './limits.ts'
import { describeRefusal, EMPTY_METER, longest, refund, refusalOf, roomOf, spend, usageOf } from './limits.ts'
import type { OpenRequests } from './open-requests.ts'

/** After this a meter is as if it had never been used: a bucket that owes is full within two days, its bytes are yesterday's. */
const IDLE_MS = 2 * 86_400_000
/** Meters of keys that are kept; a user has half as many keys in use. */
export const MAX_METERS = 200

/** A lease may take this part of what is left. */
const LEASED = 4

/** What is counted of a request. `key`: that it came with, if that has limits of its own. */
export interface Charge {
  readonly bytes: number
  readonly key?: KeyAllowance | undefined
}

/** What one isolate would like to spend. */
interface Wanted extends Share {
  /** Bytes that the first request needs. */
  readonly atLeastBytes: number
  readonly key?: KeyAllowance | undefined
}

export type Open = Pick<OpenRequests, 'size' | 'sizeOf'>

/** @param key whose meter; the user's own unless given */
export interface MeterStore {
  putMeter(meter: Meter, key?: string): void
  removeMeter(key: string): void
}

interface Account {
  readonly whose: Whose
  readonly limits: Limits
  readonly meter: Meter
  readonly key?: string
}

/**
 * What a user has used, and of that each of their keys that has limits. A request that comes with such a key is charged
 * to both, or to neither. The limits of a key come with the request; here is only what it has used.
 */
export class Meters {
  readonly #limits: Limits
  readonly #store: MeterStore
  #user: Meter
  /** The one that was used last is the last. */
  readonly #keys: Map<string, Meter>

  constructor(limits: Limits, store: MeterStore, user: Meter, keys: Iterable<readonly [string, Meter]> = []) {
    this.#limits = limits
    this.#store = store
    this.#user = user
    this.#keys = new Map([...keys].sort(([, a], [, b]) => a.at - b.at))
  }

  /** @returns what refuses one more request, and lasts longest */
  refusal({ bytes, key }: Charge, open: Open, now: number): (Refusal & { readonly detail: string }) | undefined {
    const refusals = this.#accounts(key).flatMap(({ whose, limits, meter, key }) => {
      const refusal = refusalOf(meter, limits, sizeOf(open, key), bytes, now)
      return refusal ? [{ ...refusal, detail: describeRefusal(refusal, whose, limits) }] : []
    })
    return longest(refusals)
  }

  spend({ bytes, key }: Charge, now: number): void {
    for (const account of this.#accounts(key)) {
      this.#put(spend(account.meter, account.limits, bytes, now), account.key, now)
    }
  }

  /** Takes back what was spent at `spentAt`. */
  refund({ bytes, key }: Charge, spentAt: number, now: number): void {
    for (const account of this.#accounts(key)) {
      this.#put(refund(account.meter, account.limits, bytes, spentAt, now), account.key, now)
    }
  }

  /**
   * What may be given away at once, for requests that are not asked for one by one: of what is left a part, so that
   * there is some for whoever asks next. It is spent. Never less than one request of `atLeastBytes`, which `refusal` let pass.
   */
  lease({ requests, bytes, atLeastBytes, key }: Wanted, now: number): Share {
    const rooms = this.#accounts(key).map(({ limits, meter }) => roomOf(meter, limits, now))
    const part = (least: number, room: number) => Math.max(least, Math.floor(room / LEASED))
    const granted = {
      requests: Math.min(requests, ...rooms.map((room) => part(1, room.requests))),
      bytes: Math.min(bytes, ...rooms.map((room) => part(atLeastBytes, room.bytes))),
    }
    for (const account of this.#accounts(key)) {
      this.#put(spend(account.meter, account.limits, granted.bytes, now, granted.requests), account.key, now)
    }
    return granted
  }

  /** What was leased at `leasedAt` and not used. */
  giveBack(
    { requests, bytes, key }: Share & { readonly key?: KeyAllowance | undefined },
    leasedAt: number,
    now: number,
  ) {
    for (const { meter, limits, key: id } of this.#accounts(key)) {
      this.#put(refund(meter, limits, bytes, leasedAt, now, requests), id, now)
    }
  }

  usage(key: KeyAllowance | undefined, open: Open, now: number): Usage[] {
    return this.#accounts(key).flatMap(({ whose, limits, meter, key }) =>
      usageOf(meter, limits, sizeOf(open, key), now).map((usage) => ({ ...usage, whose })),
    )
  }

  #accounts(key: KeyAllowance | undefined): Account[] {
    const user: Account = { whose: 'user', limits: this.#limits, meter: this.#user }
    if (!key) return [user]
    const meter = this.#keys.get(key.id) ?? EMPTY_METER
    return [user, { whose: 'key', limits: key.limits, meter, key: key.id }]
  }

  #put(meter: Meter, key: string | undefined, now: number): void {
    this.#store.putMeter(meter, key)
    if (key === undefined) {
      this.#user = meter
      return
    }
    if (!this.#keys.delete(key)) this.#makeRoom(now)
    this.#keys.set(key, meter)
  }

  /** For the meter of one more key. */
  #makeRoom(now: number): void {
    for (const [key, { at }] of this.#keys) {
      if (at + IDLE_MS > now && this.#keys.size < MAX_METERS) break
      this.#keys.delete(key)
      this.#store.removeMeter(key)
    }
  }
}

const sizeOf = (open: Open, key: string | undefined) => (key === undefined ? open.size : open.sizeOf(key))
