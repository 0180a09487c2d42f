import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Admission } from './admission.ts'

test('neither requests nor bytes go over their limits, but for a request that is alone', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(60)), { maxLength: 60 }), (steps) => {
      const admission = new Admission(3, 100)
      const inside: number[] = []
      const total = () => inside.reduce((sum, bytes) => sum + bytes, 0)
      for (const bytes of steps) {
        if (bytes === null) {
          const leaving = inside.shift()
          if (leaving !== undefined) admission.leave(leaving)
          continue
        }
        const fits = inside.length < 3 && (inside.length === 0 || total() + bytes <= 100)
        expect(admission.enter(bytes)).toBe(fits)
        if (fits) inside.push(bytes)
        expect(admission.requests).toBe(inside.length)
      }
    }),
  )
  expect(new Admission(3, 100).enter(1_000)).toBe(true)
})

test('what is inside may grow up to the limit, and one that is alone beyond it', () => {
  const admission = new Admission(3, 100)
  admission.enter(10)
  expect(admission.grow(1_000)).toBe(true)
  admission.leave(1_010)
  admission.enter(10)
  admission.enter(80)
  expect([admission.grow(10), admission.grow(1)]).toEqual([true, false])
})
