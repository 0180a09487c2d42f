import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { FAULT_NAMES, FLOODS, faultsOf } from './faults.ts'
import { LET_IN, planFlood } from './flood-plan.ts'
import { planLoad, TIMEOUT_MS } from './load-plan.ts'
import { planFaults } from './schedule.ts'

const seeds = fc.nat(2 ** 31)

test('what is asked and what is broken follow from the seed alone', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      expect(planLoad(seed, 2_000, 20)).toEqual(planLoad(seed, 2_000, 20))
      expect(planFaults(seed, 60_000, FAULT_NAMES)).toEqual(planFaults(seed, 60_000, FAULT_NAMES))
    }),
    { numRuns: 20 },
  )
  expect(planLoad(1, 2_000, 20)).not.toEqual(planLoad(2, 2_000, 20))
  expect(planFaults(1, 60_000, FAULT_NAMES)).not.toEqual(planFaults(2, 60_000, FAULT_NAMES))
})

test('the load is as dense as was asked for, in order, and of every kind', () => {
  const plan = planLoad(3, 20_000, 50)
  expect(plan.length).toBe(1_000)
  expect(plan.map(({ at }) => at)).toEqual(plan.map(({ at }) => at).sort((a, b) => a - b))
  expect(plan.at(-1)?.at).toBeLessThanOrEqual(20_000)
  expect(new Set(plan.map(({ modelID }) => modelID)).size).toBe(3)
  expect(new Set(plan.map(({ reading }) => reading.mode)).size).toBe(3)
  expect(new Set(plan.map(({ requestID }) => requestID)).size).toBe(plan.length)
})

test('every fault comes once before any comes twice, and none too late to be seen', () => {
  fc.assert(
    fc.property(seeds, fc.subarray(FAULT_NAMES, { minLength: 1 }), (seed, only) => {
      const faults = planFaults(seed, 120_000, only)
      for (let at = 0; at < faults.length; at += only.length) {
        const round = faults.slice(at, at + only.length).map(({ fault }) => fault)
        expect(new Set(round).size).toBe(round.length)
      }
      for (const { fault, at } of faults) {
        expect(only).toContain(fault)
        expect(at).toBeLessThan(116_000)
      }
    }),
  )
})

test('a minute has room for every fault, and each is in it', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const faults = planFaults(seed, 60_000, FAULT_NAMES).map(({ fault }) => fault)
      expect(FAULT_NAMES.filter((name) => !faults.includes(name))).toEqual([])
    }),
  )
})

test('nobody who remembers for a broker that loses its disk dies shortly before or after', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const faults = planFaults(seed, 600_000, FAULT_NAMES)
      const wipes = faults.filter(({ fault }) => fault === 'wipe-nats')
      expect(wipes.length).toBeGreaterThan(2)
      for (const { fault, at } of faults) {
        if (fault !== 'kill-node' && fault !== 'kill-edge') continue
        // A round of all faults takes about two minutes, and of its thirds one is between the two.
        expect(wipes.filter((wipe) => wipe.at > at - 25_000 && wipe.at < at + 25_000)).toEqual([])
      }
    }),
    { numRuns: 20 },
  )
})

test('some requests are cancelled, some have hardly any time, and some can wait', () => {
  const plan = planLoad(3, 20_000, 50)
  const share = (has: (one: (typeof plan)[number]) => boolean) => plan.filter(has).length / plan.length
  expect(share(({ cancel }) => cancel !== undefined)).toBeWithin(0.05, 0.15)
  expect(share(({ request }) => Number(request.timeoutMs) < TIMEOUT_MS)).toBeWithin(0.05, 0.15)
  expect(share(({ request }) => request.lane === 'batch')).toBeWithin(0.1, 0.2)
})

test('a flood is more than is let in: of one lane of a model, or of one user', () => {
  fc.assert(
    fc.property(seeds, fc.constantFrom(...FLOODS), (seed, name) => {
      const flood = planFlood(name, seed, 'flood', 1_000)
      expect(planFlood(name, seed, 'flood', 1_000)).toEqual(flood)
      const isQueue = name === 'flood-queue'
      expect(flood.length).toBeGreaterThan(isQueue ? LET_IN.queued : LET_IN.burst + 1.5 * LET_IN.perSecond)
      expect(new Set(flood.map((one) => (isQueue ? `${one.modelID} ${one.request.lane}` : one.user))).size).toBe(1)
      expect(new Set(flood.map(({ requestID }) => requestID)).size).toBe(flood.length)
    }),
    { numRuns: 20 },
  )
})

test('faults are named one by one or by their kind', () => {
  expect(faultsOf('kill-node')).toEqual(['kill-node'])
  expect(faultsOf('cut').every((name) => name.startsWith('cut:'))).toBe(true)
  expect(faultsOf('edge-nats')).toEqual(['delay:edge-nats', 'cut:edge-nats', 'hole:edge-nats'])
  expect(faultsOf('earthquake')).toEqual([])
})
