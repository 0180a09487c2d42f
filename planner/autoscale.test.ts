import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { atRest, decide, type Load, type ScaleSettings } from './autoscale.ts'

const settings: ScaleSettings = { min: 1, max: 8, maxWaitMs: 2_000, upAfterMs: 5_000, downAfterMs: 60_000 }
const idle = (nodes: number): Load => ({ nodes, waiting: 0, drain: 0, busy: 0, slots: nodes * 10 })
const flooded = (nodes: number): Load => ({ nodes, waiting: 100, drain: 5, busy: nodes * 10, slots: nodes * 10 })

/** What becomes of the nodes when every second has a load; what is decided is done at once. */
function run(loads: readonly ((nodes: number) => Load)[], from: number): number[] {
  let nodes = from
  let state = atRest(nodes, 0)
  return loads.map((load, second) => {
    const decision = decide(load(nodes), state, settings, second * 1000)
    nodes = decision.nodes
    state = decision.state
    return nodes
  })
}

const load = fc.record({
  waiting: fc.oneof(fc.constant(0), fc.nat(1_000)),
  drain: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 100, noNaN: true })),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
})
const loads = fc.array(
  load.map(({ waiting, drain, part }) => (nodes: number): Load => {
    return { nodes, waiting, drain, busy: Math.round(part * nodes * 10), slots: nodes * 10 }
  }),
  { minLength: 1, maxLength: 300 },
)

test('there are never fewer nodes than allowed, nor more', () => {
  fc.assert(
    fc.property(loads, fc.nat(20), (loads, from) => {
      for (const nodes of run(loads, from)) {
        expect(nodes).toBeGreaterThanOrEqual(settings.min)
        expect(nodes).toBeLessThanOrEqual(settings.max)
      }
    }),
  )
})

test('what does not last changes nothing: up after its time, down after a longer one', () => {
  fc.assert(
    fc.property(loads, fc.integer({ min: 1, max: 8 }), (loads, from) => {
      const nodes = [from, ...run(loads, from)]
      let changed = 0
      for (let second = 1; second < nodes.length; second++) {
        const step = (nodes[second] ?? 0) - (nodes[second - 1] ?? 0)
        if (step === 0) continue
        expect(second - changed).toBeGreaterThanOrEqual((step > 0 ? settings.upAfterMs : settings.downAfterMs) / 1000)
        if (step < 0) expect(step).toBe(-1)
        changed = second
      }
    }),
  )
})

test('a load that swings faster than that moves no node', () => {
  const swinging = Array.from({ length: 600 }, (_, second) => (Math.floor(second / 4) % 2 === 0 ? flooded : idle))
  expect(new Set(run(swinging, 3))).toEqual(new Set([3]))
})

test('while jobs wait no node is taken away', () => {
  fc.assert(
    fc.property(loads, fc.integer({ min: 1, max: 8 }), (loads, from) => {
      const waiting = loads.map((load) => (nodes: number) => ({ ...load(nodes), waiting: 1 }))
      const nodes = [from, ...run(waiting, from)]
      expect(nodes).toEqual(nodes.toSorted((a, b) => a - b))
    }),
  )
})

test('a flood brings all nodes within seconds, and when it is over they go one by one', () => {
  const up = run(
    Array.from({ length: 60 }, () => flooded),
    1,
  )
  expect(up[4]).toBe(1)
  expect(up.at(-1)).toBe(8)
  const down = run(
    Array.from({ length: 600 }, () => idle),
    8,
  )
  expect(down[59]).toBe(8)
  expect(down.at(-1)).toBe(1)
})

test('jobs of which none is taken wait for ever', () => {
  const stuck = (nodes: number): Load => ({ nodes, waiting: 1, drain: 0, busy: 0, slots: 10 * nodes })
  expect(
    run(
      Array.from({ length: 7 }, () => stuck),
      1,
    ).at(-1),
  ).toBe(2)
})
