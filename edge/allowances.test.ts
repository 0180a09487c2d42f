import { describe, expect, test } from 'bun:test'
import { EMPTY_METER } from '@oriel/core-actors/limits'
import { Meters } from '@oriel/core-actors/meters'
import type { LeaseOrder, UserPort } from '@oriel/core-actors/user-port'
import type { Limits } from '@oriel/protocol/limits'
import { ProblemError } from '@oriel/protocol/problem'
import fc from 'fast-check'
import { Allowances } from './allowances.ts'
import type { Caller } from './caller.ts'

const caller: Caller = { user: 'alice', scopes: new Set() }
const NOON = Date.UTC(2026, 10, 21, 12)
const NONE_OPEN = { size: 0, sizeOf: () => 0 }

/** Isolates in front of one user's meters, at a time that the test moves. */
function setup(limits: Limits, isolates = 1) {
  const world = { now: NOON, asked: [] as LeaseOrder[], away: false }
  const meters = new Meters(limits, { putMeter() {}, removeMeter() {} }, EMPTY_METER)
  const user: Pick<UserPort, 'lease'> = {
    async lease(order) {
      if (world.away) throw new Error('away')
      world.asked.push(order)
      const { unused, ...wanted } = order
      if (unused) meters.giveBack({ ...unused, key: order.key }, unused.leasedAt, world.now)
      const refusal = meters.refusal({ bytes: order.atLeastBytes, key: order.key }, NONE_OPEN, world.now)
      if (!refusal) return { ok: true, ...meters.lease(wanted, world.now) }
      return { ok: false, problem: { kind: 'limit-exceeded', ...refusal } }
    },
  }
  const all = Array.from(
    { length: isolates },
    () =>
      new Allowances(
        () => user,
        () => world.now,
      ),
  )
  const spend = async (isolate = 0, bytes = 100) => {
    const behind: Promise<unknown>[] = []
    try {
      await all[isolate]?.spend(caller, bytes, (promise) => behind.push(promise))
      await Promise.all(behind)
      return true
    } catch (error) {
      if (error instanceof ProblemError && error.problem.kind === 'limit-exceeded') return false
      throw error
    }
  }
  return { world, spend }
}

describe('predictions of one caller', () => {
  test('are not asked for one by one', async () => {
    const { world, spend } = setup({ rate: { perSecond: 1_000, burst: 2_000 } })
    for (let sent = 0; sent < 500; sent += 1) expect(await spend()).toBe(true)
    expect(world.asked.length).toBeLessThan(10)
  })

  test('are refused when the rate is used up, all of which may be used', async () => {
    const { spend } = setup({ rate: { perSecond: 1, burst: 50 } })
    let passed = 0
    while (await spend()) passed += 1
    expect(passed).toBe(50)
  })

  test('are refused when the bytes of the day are used up', async () => {
    const { spend } = setup({ bytesPerDay: 10_000 })
    expect(await spend(0, 9_000)).toBe(true)
    expect(await spend(0, 2_000)).toBe(false)
    expect(await spend(0, 1_000)).toBe(true)
  })

  test('are let through while nobody can be asked', async () => {
    const { world, spend } = setup({ rate: { perSecond: 1, burst: 1 } })
    world.away = true
    for (let sent = 0; sent < 3; sent += 1) expect(await spend()).toBe(true)
  })

  test('are let through together while nobody answers', async () => {
    let asked = 0
    const hangs = () => {
      asked += 1
      return new Promise<never>(() => {})
    }
    const allowances = new Allowances(() => ({ lease: hangs }))
    const spend = () => allowances.spend(caller, 100, () => {})
    await Promise.all(Array.from({ length: 10 }, spend))
    expect(asked).toBe(1)
  })

  test('leave to others what they did not use in time', async () => {
    const { world, spend } = setup({ rate: { perSecond: 0.001, burst: 40 } }, 2)
    expect(await spend(0)).toBe(true)
    world.now += 3_000
    expect(await spend(0)).toBe(true) // gives the rest of the first lease back
    let passed = 2
    while (await spend(1)) passed += 1
    while (await spend(0)) passed += 1
    expect(passed).toBe(40)
  })

  test('never get more than there is, however many isolates spend it', async () => {
    const step = fc.record({ isolate: fc.nat(2), bytes: fc.integer({ min: 1, max: 400 }), pauseMs: fc.nat(1_500) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 150 }), async (steps) => {
        const limits = { rate: { perSecond: 2, burst: 20 }, bytesPerDay: 8_000 }
        const { world, spend } = setup(limits, 3)
        let passed = 0
        let bytes = 0
        for (const { isolate, bytes: size, pauseMs } of steps) {
          world.now += pauseMs
          if (!(await spend(isolate, size))) continue
          passed += 1
          bytes += size
        }
        expect(passed).toBeLessThanOrEqual(20 + ((world.now - NOON) / 1_000) * 2)
        expect(bytes).toBeLessThanOrEqual(8_000)
      }),
    )
  })
})
