import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Lease } from './lease.ts'
import { MemoryLeaseStore } from './testing/memory-lease-store.ts'

const TTL = 4_000

function contenders(count: number) {
  const store = new MemoryLeaseStore(TTL)
  const leases = Array.from({ length: count }, (_, index) => {
    return new Lease({ store, holder: `p${index}`, ttlMs: TTL, now: () => store.now })
  })
  return { store, leases }
}
const at = <T>(all: readonly T[], index: number): T => {
  const found = all[index]
  if (found === undefined) throw new Error(`nothing at ${index}`)
  return found
}

test('whoever is first has it, and keeps it while it is renewed', async () => {
  const { store, leases } = contenders(2)
  for (let round = 0; round < 20; round++) {
    for (const lease of leases) await lease.keep()
    store.now += 1_000
    expect(leases.map(({ isHeld }) => isHeld)).toEqual([true, false])
  }
})

test('who does not renew it in time knows that it is over, and another has it under a higher term', async () => {
  const { store, leases } = contenders(2)
  const [first, second] = [at(leases, 0), at(leases, 1)]
  await first.keep()
  store.now += TTL
  expect(first.isHeld).toBe(false)
  await second.keep()
  expect(second.isHeld).toBe(true)
  expect(second.term).toBeGreaterThan(first.term)
  await first.keep()
  expect(first.isHeld).toBe(false)
})

test('who gives it back leaves it to the next at once', async () => {
  const { leases } = contenders(2)
  await at(leases, 0).keep()
  await at(leases, 0).release()
  await at(leases, 1).keep()
  expect(at(leases, 1).isHeld).toBe(true)
})

test('however they come, stop and go on, no two have it at a time', async () => {
  const steps = fc.array(fc.tuple(fc.nat(2), fc.constantFrom('keep', 'release'), fc.nat(3_000)), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const { store, leases } = contenders(3)
      for (const [who, what, ms] of steps) {
        await at(leases, who)[what as 'keep' | 'release']()
        expect(leases.filter(({ isHeld }) => isHeld).length).toBeLessThanOrEqual(1)
        store.now += ms
        expect(leases.filter(({ isHeld }) => isHeld).length).toBeLessThanOrEqual(1)
      }
    }),
  )
})
