import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Quarantine } from './quarantine.ts'
import { settled } from './testing/manual-clock.ts'

const { signal } = new AbortController()

test('every run has a host to itself, as many at a time as may be, and none is left open', async () => {
  const outcome = fc.constantFrom('ends', 'throws', 'waits') // waits: until the others are over
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(outcome, { maxLength: 12 }), async (width, outcomes) => {
      let open = 0
      let most = 0
      const quarantine = new Quarantine(width, () => {
        most = Math.max(most, ++open)
        return { close: async () => void open-- }
      })
      const cells = new Set<object>()
      const gate = Promise.withResolvers<void>()
      const runs = outcomes.map((outcome) =>
        quarantine.run(async (cell) => {
          expect(cells.has(cell)).toBe(false)
          cells.add(cell)
          if (outcome === 'throws') throw new Error('lost')
          if (outcome === 'waits') await gate.promise
        }, signal),
      )
      const all = Promise.allSettled(runs)
      await settled()
      gate.resolve()
      const rejected = (await all).filter(({ status }) => status === 'rejected')
      expect(rejected).toHaveLength(outcomes.filter((outcome) => outcome === 'throws').length)
      expect([open, quarantine.cells.size, cells.size]).toEqual([0, 0, outcomes.length])
      expect(most).toBeLessThanOrEqual(width)
    }),
  )
})

test('a run that is given up while it waits opens no host', async () => {
  let opened = 0
  const quarantine = new Quarantine(1, () => ({ close: async () => {}, number: ++opened }))
  const gate = Promise.withResolvers<void>()
  const first = quarantine.run(() => gate.promise, signal)
  const abort = new AbortController()
  const second = quarantine.run(async () => {}, abort.signal)
  abort.abort()
  gate.resolve()
  await Promise.all([first, second])
  expect(opened).toBe(1)
})
