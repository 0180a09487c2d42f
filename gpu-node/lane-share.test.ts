import { describe, expect, test } from 'bun:test'
import { LANES, type Lane } from '@oriel/protocol/subjects'
import fc from 'fast-check'
import { type Ask, BATCH_EVERY, LaneShare } from './lane-share.ts'

/** A broker of two queues that a test moves step by step, and a node that asks as soon as it may. */
class Simulation {
  readonly share: LaneShare
  readonly queued = { interactive: 0, batch: 0 }
  readonly delivered: Lane[] = []
  readonly running: Lane[] = []
  #open: (Ask & { left: number })[] = []

  constructor(slots: number) {
    this.share = new LaneShare(slots)
    this.#ask()
  }

  watched(lane: Lane): boolean {
    return this.#open.some((ask) => ask.lane === lane && ask.how === 'watch')
  }

  submit(lane: Lane, jobs = 1): void {
    this.queued[lane] += jobs
  }

  /** The broker looks at the oldest question about one lane. @returns whether anything came of it */
  serve(lane: Lane): boolean {
    const open = this.#open.find((ask) => ask.lane === lane)
    if (!open || (open.how === 'watch' && this.queued[lane] === 0)) return false
    for (; open.left > 0 && this.queued[lane] > 0; open.left--) {
      this.queued[lane]--
      this.running.push(lane)
      this.delivered.push(lane)
      this.share.delivered(lane, this.queued[lane])
    }
    this.#close(open)
    if (open.left > 0) this.share.ended(lane, open.left)
    this.#ask()
    return true
  }

  /** Until the broker has no more to say. */
  settle(): void {
    while (this.serve('interactive') || this.serve('batch'));
  }

  expire(lane: Lane): void {
    const open = this.#open.find((ask) => ask.lane === lane && ask.how === 'watch')
    if (!open || this.queued[lane] > 0) return
    this.#close(open)
    this.share.ended(lane, open.left)
    this.#ask()
  }

  finish(at: number): void {
    const [lane] = this.running.splice(at % Math.max(1, this.running.length), 1)
    if (!lane) return
    this.share.freed(lane)
    this.#ask()
  }

  lose(): void {
    for (const { lane, left } of this.#open) this.share.lost(lane, left)
    this.#open = []
    this.#ask()
  }

  #close(open: Ask): void {
    this.#open = this.#open.filter((other) => other !== open)
  }

  #ask(): void {
    for (let ask = this.share.next(); ask; ask = this.share.next()) {
      expect(ask.jobs).toBeGreaterThan(0)
      this.#open.push({ ...ask, left: ask.jobs })
    }
    const promised = this.#open.reduce((sum, { left }) => sum + left, 0)
    expect(this.share.free).toBe(this.share.slots - this.running.length - promised)
    expect(this.share.free).toBeGreaterThanOrEqual(0)
    for (const lane of LANES) {
      expect(this.#open.filter((ask) => ask.lane === lane && ask.how === 'watch').length).toBeLessThanOrEqual(1)
    }
  }
}

const slots = fc.integer({ min: 1, max: 9 })
const lane = fc.constantFrom(...LANES)
const step = fc.oneof(
  fc.tuple(fc.constant('submit' as const), lane),
  fc.tuple(fc.constant('serve' as const), lane),
  fc.tuple(fc.constant('expire' as const), lane),
  fc.tuple(fc.constant('finish' as const), fc.nat(20)),
  fc.tuple(fc.constant('lose' as const), fc.constant(0)),
)
const apply = (simulation: Simulation, [what, on]: readonly [string, Lane | number]) => {
  if (what === 'lose') simulation.lose()
  else if (typeof on === 'number') simulation.finish(on)
  else simulation[what as 'submit' | 'serve' | 'expire'](on)
}

describe('whatever happens', () => {
  test('no more is asked for than fits, and batch leaves one of several slots alone', () => {
    fc.assert(
      fc.property(slots, fc.array(step, { maxLength: 200 }), (slots, steps) => {
        const simulation = new Simulation(slots)
        for (const one of steps) {
          apply(simulation, one)
          const batch = simulation.running.filter((lane) => lane === 'batch').length
          expect(batch).toBeLessThanOrEqual(Math.max(1, slots - 1))
        }
      }),
      { numRuns: 500 },
    )
  })

  test('no slot stays free that a waiting job may have', () => {
    fc.assert(
      fc.property(slots, fc.array(step, { maxLength: 100 }), (slots, steps) => {
        const simulation = new Simulation(slots)
        for (const one of steps) apply(simulation, one)
        // Watches that keep a slot from the other lane end; a few turns are all it takes.
        for (let turn = 0; turn < 4; turn++) {
          simulation.settle()
          for (const lane of LANES) simulation.expire(lane)
        }
        simulation.settle()
        const free = slots - simulation.running.length
        const batchRoom = Math.max(1, slots - 1) - simulation.running.filter((lane) => lane === 'batch').length
        if (free > 0) expect(simulation.queued.interactive).toBe(0)
        if (Math.min(free, batchRoom) > 0) expect(simulation.queued.batch).toBe(0)
      }),
      { numRuns: 500 },
    )
  })
})

test('with two slots or more both quiet lanes are watched; a single slot looks at each in turn', () => {
  fc.assert(
    fc.property(slots, (slots) => {
      const simulation = new Simulation(slots)
      simulation.settle()
      expect(simulation.watched('interactive')).toBe(true)
      expect(simulation.watched('batch')).toBe(slots > 1)
    }),
  )
  const one = new Simulation(1)
  one.submit('batch')
  one.settle()
  expect(one.delivered).toEqual([])
  one.expire('interactive')
  one.settle()
  expect(one.delivered).toEqual(['batch'])
})

test('while both lanes wait, batch has one slot in eight', () => {
  fc.assert(
    fc.property(slots, (slots) => {
      const simulation = new Simulation(slots)
      for (const lane of LANES) simulation.submit(lane, 10_000)
      const freed = 80 * BATCH_EVERY
      const warm = 20 * slots
      for (let count = 0; count < freed + warm; count++) {
        simulation.settle()
        simulation.finish(0)
      }
      const steady = simulation.delivered.slice(-freed)
      expect(steady.filter((lane) => lane === 'batch')).toHaveLength(freed / BATCH_EVERY)
      for (let at = 0; at + BATCH_EVERY <= freed; at++) expect(steady.slice(at, at + BATCH_EVERY)).toContain('batch')
    }),
    { numRuns: 20 },
  )
})

test('an interactive job waits for no more than one batch job of a slot', () => {
  fc.assert(
    fc.property(slots, fc.infiniteStream(fc.nat(20)), (slots, which) => {
      const simulation = new Simulation(slots)
      simulation.submit('batch', 1_000)
      for (let count = 0; count < 50; count++) {
        simulation.settle()
        simulation.expire('interactive')
        simulation.settle()
        simulation.finish(which.next().value)
      }
      simulation.settle()
      simulation.submit('interactive')
      const before = simulation.delivered.length
      simulation.settle()
      if (slots === 1) simulation.finish(0)
      simulation.settle()
      expect(simulation.delivered.slice(before)).toContain('interactive')
      // With several slots it had its own at once.
      if (slots > 1) expect(simulation.delivered[before]).toBe('interactive')
    }),
    { numRuns: 100 },
  )
})

test('behind a burst the watch is followed by takes, until the lane is empty again', () => {
  const share = new LaneShare(16)
  expect(share.next()).toMatchObject({ lane: 'interactive', how: 'watch', jobs: 1, brief: false })
  expect(share.next()).toMatchObject({ lane: 'batch', how: 'watch', jobs: 1, brief: false })
  expect(share.next()).toBeUndefined()
  share.delivered('interactive', 5)
  expect(share.next()).toMatchObject({ lane: 'interactive', how: 'take', jobs: 5 })
  expect(share.next()).toBeUndefined()
  for (const waiting of [5, 4, 3, 2]) share.delivered('interactive', waiting)
  expect(share.next()).toMatchObject({ lane: 'interactive', how: 'take', jobs: 1 })
  share.ended('interactive', 1)
  share.ended('interactive', 1)
  expect(share.next()).toMatchObject({ lane: 'interactive', how: 'watch' })
})
