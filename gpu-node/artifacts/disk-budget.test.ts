import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { DiskBudget } from './disk-budget.ts'

const file = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const step = fc.oneof(
  fc.record({ kind: fc.constant('reserve' as const), file, bytes: fc.integer({ min: 0, max: 60 }) }),
  fc.record({ kind: fc.constantFrom('hold' as const, 'release' as const, 'used' as const), file }),
)

test('the limit holds, what is held stays, and what goes was used longest ago', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budget = new DiskBudget(100)
      let there: { file: string; bytes: number }[] = [] // the oldest use first
      const holds: { file: string; release: () => void }[] = []
      const isHeld = (name: string) => holds.some((hold) => hold.file === name)
      for (const step of steps) {
        if (step.kind === 'hold') holds.push({ file: step.file, release: budget.hold(step.file) })
        if (step.kind === 'release') {
          const at = holds.findIndex((hold) => hold.file === step.file)
          const [hold] = at < 0 ? [] : holds.splice(at, 1)
          hold?.release()
          hold?.release() // once is enough
        }
        if (step.kind === 'used') {
          budget.used(step.file)
          const found = there.filter(({ file }) => file === step.file)
          there = [...there.filter(({ file }) => file !== step.file), ...found]
        }
        if (step.kind !== 'reserve') continue
        there = there.filter(({ file }) => file !== step.file)
        const going = budget.reserve(step.file, step.bytes)
        const free = there.filter(({ file }) => !isHeld(file))
        if (going) {
          expect(free.slice(0, going.length).map(({ file }) => file)).toEqual(going)
          there = [...there.filter(({ file }) => !going.includes(file)), { file: step.file, bytes: step.bytes }]
        } else {
          const held = there.filter(({ file }) => isHeld(file)).reduce((sum, { bytes }) => sum + bytes, 0)
          expect(held + step.bytes).toBeGreaterThan(100)
        }
        expect(budget.bytes).toBe(there.reduce((sum, { bytes }) => sum + bytes, 0))
        expect(budget.bytes).toBeLessThanOrEqual(100)
      }
    }),
  )
})
