import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Entry, WaitingRows } from './waiting-rows.ts'

test('nothing is lost, nothing is taken twice, a group keeps its order, and a batch keeps its size', () => {
  const step = fc.oneof(
    fc.record({ rows: fc.integer({ min: 1, max: 5 }), bytes: fc.nat(30), group: fc.constantFrom('a', 'b', 'c') }),
    fc.constant('take' as const),
    fc.record({ remove: fc.nat() }),
  )
  fc.assert(
    fc.property(fc.array(step), fc.integer({ min: 1, max: 8 }), fc.nat(60), (steps, maxRows, maxBytes) => {
      const waiting = new WaitingRows<Entry & { id: number }>()
      const added: (Entry & { id: number })[] = []
      const gone = new Set<number>()
      const take = () => {
        const batch = waiting.take(maxRows, maxBytes)
        expect(new Set(batch.map(({ group }) => group)).size).toBeLessThanOrEqual(1)
        const rows = batch.reduce((sum, entry) => sum + entry.rows, 0)
        const bytes = batch.reduce((sum, entry) => sum + entry.bytes, 0)
        expect(batch.length <= 1 || (rows <= maxRows && bytes <= maxBytes)).toBe(true)
        const first = added.find(({ id, group }) => !gone.has(id) && group === batch[0]?.group)
        if (first) expect(batch[0]).toBe(first)
        for (const { id } of batch) {
          expect(gone.has(id)).toBe(false)
          gone.add(id)
        }
        return batch
      }
      for (const step of steps) {
        if (step === 'take') take()
        else if ('remove' in step) {
          const entry = added[step.remove % Math.max(1, added.length)]
          if (!entry) continue
          waiting.remove(entry)
          gone.add(entry.id)
        } else {
          const entry = { ...step, id: added.length }
          added.push(entry)
          waiting.add(entry)
        }
        const left = added.filter(({ id }) => !gone.has(id))
        expect(waiting.rows).toBe(left.reduce((sum, entry) => sum + entry.rows, 0))
        expect(waiting.bytes).toBe(left.reduce((sum, entry) => sum + entry.bytes, 0))
      }
      while (take().length > 0);
      expect(gone.size).toBe(added.length)
      expect(waiting.rows).toBe(0)
    }),
  )
})
