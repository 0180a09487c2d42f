import { describe, expect, test } from 'bun:test'
import type { Limits } from '@oriel/protocol/limits'
import fc from 'fast-check'
import { EMPTY_METER, type Meter } from './limits.ts'
import { type Charge, MAX_METERS, Meters } from './meters.ts'
import { OpenRequests } from './open-requests.ts'

const DAY_MS = 86_400_000
const NOON = Date.UTC(2026, 10, 21, 12)
const user: Limits = { rate: { perSecond: 10, burst: 20 }, concurrent: 10, bytesPerDay: 10_000 }

/** Meters over a store that survives them. */
function setup(limits: Limits = user) {
  const stored = { user: EMPTY_METER, keys: new Map<string, Meter>() }
  const store = {
    putMeter(meter: Meter, key?: string) {
      if (key === undefined) stored.user = meter
      else stored.keys.set(key, meter)
    },
    removeMeter: (key: string) => void stored.keys.delete(key),
  }
  const load = () => new Meters(limits, store, stored.user, stored.keys)
  return { stored, load, meters: load(), open: new OpenRequests() }
}

const keyed = (id: string, limits: Limits): Charge => ({ bytes: 1, key: { id, limits } })

describe('a request that comes with a key', () => {
  test('is held to the limits of the key, which leave the user and other keys alone', () => {
    const { meters, open } = setup()
    const one = keyed('one', { rate: { perSecond: 1, burst: 2 } })
    meters.spend(one, NOON)
    meters.spend(one, NOON)
    expect(meters.refusal(one, open, NOON)).toEqual({
      limit: 'rate',
      retryAfterMs: 1_000,
      detail: 'This API key may send 1 requests a second, and 2 at once after a pause.',
    })
    expect(meters.refusal(keyed('other', { rate: { perSecond: 1, burst: 2 } }), open, NOON)).toBeUndefined()
    expect(meters.refusal({ bytes: 1 }, open, NOON)).toBeUndefined()
  })

  test('is held to the limits of its user too', () => {
    const { meters, open } = setup({ concurrent: 2 })
    const one = keyed('one', { concurrent: 5 })
    open.add('a', NOON, 'one')
    open.add('b', NOON)
    expect(meters.refusal(one, open, NOON)?.detail).toStartWith('You may have 2 requests under way')
    expect(meters.usage(one.key, open, NOON)).toEqual([
      { whose: 'user', name: 'concurrent', quota: 2, left: 0 },
      { whose: 'key', name: 'concurrent', quota: 5, left: 4 },
    ])
  })

  test('must wait for the last of the limits that refuse it', () => {
    const { meters, open } = setup({ bytesPerDay: 100 })
    const one = keyed('one', { rate: { perSecond: 1, burst: 1 }, concurrent: 1 })
    meters.spend({ ...one, bytes: 100 }, NOON)
    open.add('a', NOON, 'one')
    expect(meters.refusal(one, open, NOON)).toMatchObject({ limit: 'bytes', retryAfterMs: DAY_MS / 2 })
    // Of two that last a second, the first is as good as the other.
    expect(meters.refusal(one, open, NOON + DAY_MS)).toMatchObject({ limit: 'concurrent', retryAfterMs: 1_000 })
  })

  test('that is taken back was never charged to either', () => {
    const { meters, open } = setup()
    const one = keyed('one', { rate: { perSecond: 1, burst: 2 }, bytesPerDay: 50 })
    meters.spend(one, NOON)
    const before = meters.usage(one.key, open, NOON)
    meters.spend({ ...one, bytes: 30 }, NOON)
    meters.refund({ ...one, bytes: 30 }, NOON, NOON)
    expect(meters.usage(one.key, open, NOON)).toEqual(before)
  })
})

// What a user and two keys may do in any order, against a count that is kept apart.
const smallLimits: fc.Arbitrary<Limits> = fc.record(
  {
    rate: fc.record({ perSecond: fc.integer({ min: 1, max: 5 }), burst: fc.integer({ min: 1, max: 8 }) }),
    concurrent: fc.integer({ min: 1, max: 5 }),
    bytesPerDay: fc.integer({ min: 50, max: 300 }),
  },
  { requiredKeys: [] },
)
const step = fc.record({
  pauseMs: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.constant(DAY_MS / 2)),
  who: fc.constantFrom('user', 'one', 'other'),
  bytes: fc.integer({ min: 1, max: 50 }),
  /** What ends before it is sent. */
  ends: fc.integer({ min: 0, max: 2 }),
  /** The actor is lost and loads again before. */
  reset: fc.boolean(),
})

test('nobody ever gets more than their limits, whatever comes in which order and whenever the actor is reset', () => {
  fc.assert(
    fc.property(
      smallLimits,
      smallLimits,
      smallLimits,
      fc.array(step, { maxLength: 120 }),
      (user, one, other, steps) => {
        const { load, open } = setup(user)
        const limits: Record<string, Limits> = { user, one, other }
        const accepted: { who: string; at: number; bytes: number }[] = []
        const under: string[] = []
        let meters = load()
        let now = NOON
        for (const { pauseMs, who, bytes, ends, reset } of steps) {
          now += pauseMs
          if (reset) meters = load()
          for (const id of under.splice(0, ends)) open.remove(id)
          const key = who === 'user' ? undefined : { id: who, limits: limits[who] ?? {} }
          const before = meters.usage(key, open, now)
          const refusal = meters.refusal({ bytes, key }, open, now)
          if (refusal) {
            expect(meters.usage(key, open, now)).toEqual(before)
            const later = now + refusal.retryAfterMs
            expect(meters.refusal({ bytes, key }, new OpenRequests(), later)).toBeUndefined()
            continue
          }
          meters.spend({ bytes, key }, now)
          const id = String(accepted.length)
          open.add(id, now, key?.id)
          under.push(id)
          accepted.push({ who, at: now, bytes })
          for (const whose of new Set(['user', who])) {
            const mine = accepted.filter((request) => whose === 'user' || request.who === whose)
            const { rate, concurrent = Infinity, bytesPerDay = Infinity } = limits[whose] ?? {}
            for (const [index, first] of mine.entries()) {
              // 1e-6: the bucket is a floating number.
              const most = rate ? rate.burst + ((now - first.at) / 1_000) * rate.perSecond + 1e-6 : Infinity
              expect(mine.length - index).toBeLessThanOrEqual(most)
            }
            const open = under.filter((id) => whose === 'user' || accepted[Number(id)]?.who === whose)
            expect(open.length).toBeLessThanOrEqual(concurrent)
            const today = mine.filter(({ at }) => Math.floor(at / DAY_MS) === Math.floor(now / DAY_MS))
            expect(today.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(bytesPerDay)
          }
        }
      },
    ),
  )
})

describe('what is kept of keys', () => {
  test('does not grow with how many there have been; those used last are kept', () => {
    const { stored, meters } = setup({})
    for (let count = 0; count < 3 * MAX_METERS; count += 1) {
      meters.spend(keyed('mine', { concurrent: 1 }), NOON + count)
      meters.spend(keyed(`made ${count}`, { concurrent: 1 }), NOON + count)
      expect(stored.keys.size).toBeLessThanOrEqual(MAX_METERS)
    }
    expect([...stored.keys.keys()]).toContain('mine')
    expect([...stored.keys.keys()]).toContain(`made ${3 * MAX_METERS - 1}`)
  })

  test('is known after a reset in the order in which it was used', () => {
    const { stored, meters, load } = setup({})
    const keys = Array.from({ length: MAX_METERS }, (_, count) => keyed(`key ${count}`, { concurrent: 1 }))
    for (const [count, key] of keys.entries()) meters.spend(key, NOON + count)
    const found = [...stored.keys].reverse()
    stored.keys.clear()
    for (const [key, meter] of found) stored.keys.set(key, meter)
    load().spend(keyed('new', { concurrent: 1 }), NOON + MAX_METERS)
    const gone = keys.filter(({ key }) => !stored.keys.has(key?.id ?? ''))
    expect(gone).toEqual(keys.slice(0, 1))
  })

  test('is dropped when it has not been used for two days, and was then worth nothing', () => {
    const day = fc.record({
      perSecond: fc.integer({ min: 1, max: 10 }),
      burst: fc.integer({ min: 1, max: 864_000 }),
      owes: fc.boolean(),
    })
    fc.assert(
      fc.property(day, fc.integer({ min: 0, max: DAY_MS }), ({ perSecond, burst, owes }, sinceNoon) => {
        const limits: Limits = { rate: { perSecond, burst: Math.min(burst, perSecond * 86_400) }, bytesPerDay: 10 }
        const at = NOON + sinceNoon
        const { stored, meters, open, load } = setup({})
        const mine = keyed('mine', limits)
        const spent = owes ? -(limits.rate?.burst ?? 0) : 0
        stored.keys.set('mine', { tokens: spent, at, day: Math.floor(at / DAY_MS), bytes: 10 })
        const later = at + 2 * DAY_MS
        expect(load().usage(mine.key, open, later)).toEqual(setup({}).meters.usage(mine.key, open, later))
        expect(meters.usage(mine.key, open, later)).toHaveLength(2)
        load().spend(keyed('another', limits), later)
        expect([...stored.keys.keys()]).toEqual(['another'])
      }),
    )
  })
})

describe('a lease', () => {
  test('takes a quarter of what is left at most, and no less than one request needs', () => {
    const { meters } = setup({ rate: { perSecond: 1, burst: 100 }, bytesPerDay: 1_000 })
    const wanted = { requests: 1_024, bytes: 1_000_000, atLeastBytes: 100 }
    expect(meters.lease(wanted, NOON)).toEqual({ requests: 25, bytes: 250 })
    expect(meters.lease(wanted, NOON)).toEqual({ requests: 18, bytes: 187 })
    expect(meters.lease({ ...wanted, atLeastBytes: 563 }, NOON).bytes).toBe(563)
  })

  test('is no more than the key that it is for has left', () => {
    const { meters } = setup({})
    const key = { id: 'one', limits: { bytesPerDay: 400 } }
    expect(meters.lease({ requests: 8, bytes: 8_000, atLeastBytes: 10, key }, NOON)).toEqual({
      requests: 8,
      bytes: 100,
    })
  })
})
