import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { chooseVictims } from './eviction.ts'

const idle = (name: string, bytes: number, staysUntil = 0) => ({ name, bytes, staysUntil })
const names = (eviction: ReturnType<typeof chooseVictims<ReturnType<typeof idle>>>) =>
  'victims' in eviction ? eviction.victims.map(({ name }) => name) : eviction

test('those go that were used longest ago, and no more than is needed', () => {
  expect(names(chooseVictims([idle('a', 10), idle('b', 10), idle('c', 10)], 15, 0))).toEqual(['a', 'b'])
})

test('small ones are spared when a large one must go anyway', () => {
  expect(names(chooseVictims([idle('a', 1), idle('b', 2), idle('c', 100)], 50, 0))).toEqual(['c'])
  expect(names(chooseVictims([idle('a', 40), idle('b', 20), idle('c', 20)], 60, 0))).toEqual(['a', 'b'])
})

test('what was loaded moments ago stays; without it there is no room before its time is over', () => {
  const all = [idle('a', 10, 500), idle('b', 10, 300), idle('c', 10, 0)]
  expect(names(chooseVictims(all, 10, 100))).toEqual(['c'])
  expect(names(chooseVictims(all, 20, 100))).toEqual({ at: 300 })
  expect(names(chooseVictims(all, 30, 100))).toEqual({ at: 500 })
  expect(names(chooseVictims(all, 40, 100))).toEqual({ at: undefined })
})

test('a pinned one never goes, and nobody waits for it', () => {
  const all = [idle('a', 10, Number.POSITIVE_INFINITY), idle('b', 10)]
  expect(names(chooseVictims(all, 10, 0))).toEqual(['b'])
  expect(names(chooseVictims(all, 20, 0))).toEqual({ at: undefined })
})

test('whatever there is: enough goes or nothing, nobody who stays, and everyone who goes is needed', () => {
  const model = fc.record({ bytes: fc.integer({ min: 1, max: 100 }), staysUntil: fc.constantFrom(0, 50, 150) })
  fc.assert(
    fc.property(fc.array(model, { maxLength: 12 }), fc.integer({ min: 1, max: 300 }), (all, need) => {
      const movable = all.filter(({ staysUntil }) => staysUntil <= 100)
      const total = (models: readonly { bytes: number }[]) => models.reduce((sum, { bytes }) => sum + bytes, 0)
      const choice = chooseVictims(all, need, 100)
      if (!('victims' in choice)) {
        expect(total(movable)).toBeLessThan(need)
        expect(choice.at).toBe(total(all) >= need ? 150 : undefined)
        return
      }
      const freed = total(choice.victims)
      expect(freed).toBeGreaterThanOrEqual(need)
      for (const victim of choice.victims) {
        expect(movable).toContain(victim)
        expect(freed - victim.bytes).toBeLessThan(need)
      }
    }),
  )
})
