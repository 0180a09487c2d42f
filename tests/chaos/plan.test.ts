import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { FAULT_NAMES, faultsOf } from './faults.ts'
import { planLoad } from './load-plan.ts'
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

test('faults are named one by one or by their kind', () => {
  expect(faultsOf('kill-node')).toEqual(['kill-node'])
  expect(faultsOf('cut').every((name) => name.startsWith('cut:'))).toBe(true)
  expect(faultsOf('edge-nats')).toEqual(['delay:edge-nats', 'cut:edge-nats', 'hole:edge-nats'])
  expect(faultsOf('earthquake')).toEqual([])
})
