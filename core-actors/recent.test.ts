import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { MAX_KEPT, MAX_RECENT, Recent } from './recent.ts'

const idOf = (at: number) => String(at).padStart(6, '0')
const entryOf = (at: number) => ({ id: idOf(at), requestID: `r${at}` })
const idsOf = (recent: Recent) => recent.page(undefined).entries.map(({ id }) => id)

describe('whatever is added, removed, recorded and forgotten in whatever order', () => {
  const act = fc.constantFrom('add' as const, 'add' as const, 'add' as const, 'remove' as const, 'forget' as const)
  const acts = fc.array(fc.tuple(fc.oneof(act, fc.constant('look' as const)), fc.nat(400), fc.nat(400)), {
    maxLength: 600,
  })

  test('every accepted request is here, once, newest first, or it is not after the floor and the record has it', () => {
    fc.assert(
      fc.property(acts, (acts) => {
        const recent = new Recent()
        const accepted = new Set<string>()
        const record = new Set<string>()
        for (const [act, at, other] of acts) {
          const { floor } = recent.state
          if (act === 'add' && idOf(at) > floor) {
            recent.add(entryOf(at))
            accepted.add(idOf(at))
          } else if (act === 'remove' && !record.has(idOf(at))) {
            recent.remove(idOf(at))
            accepted.delete(idOf(at))
          } else if (act === 'forget' && accepted.has(idOf(at))) {
            record.add(idOf(at))
            recent.forgotten(idOf(at))
          } else if (act === 'look') {
            for (let id = 0; id < at; id += 1) if (id !== other && accepted.has(idOf(id))) record.add(idOf(id))
            recent.recorded(record)
          }
          expect(recent.state.floor >= floor).toBe(true)
          const ids = [...accepted].sort().reverse()
          expect(idsOf(recent)).toEqual(ids.filter((id) => id > recent.state.floor))
          expect(ids.every((id) => id > recent.state.floor || record.has(id))).toBe(true)
          expect(recent.state.gap).toBe(false)
        }
      }),
      { numRuns: 50 },
    )
  })
})

const filled = (count: number) => {
  const recent = new Recent()
  for (let at = 1; at <= count; at += 1) recent.add(entryOf(at))
  return recent
}

test('a surplus stays for as long as the record has it not, and goes from its old end', () => {
  const recent = filled(MAX_RECENT + 3)
  expect(recent.surplus()).toEqual([1, 2, 3].map(idOf))
  recent.recorded(new Set([idOf(1), idOf(3)]))
  expect(recent.state).toEqual({ floor: idOf(1), gap: false })
  recent.recorded(new Set([2, 3].map(idOf)))
  expect(recent.state.floor).toBe(idOf(3))
  expect(idsOf(recent)).toHaveLength(MAX_RECENT)
  expect(recent.surplus()).toEqual([])
})

test('one that comes late, while the record is asked, stays', () => {
  const recent = filled(MAX_RECENT + 3)
  recent.remove(idOf(2))
  const asked = new Set(recent.surplus())
  recent.add(entryOf(2))
  recent.recorded(asked)
  expect(recent.state.floor).toBe(idOf(1))
  expect(recent.has(idOf(2))).toBe(true)
})

test('one that is forgotten before an older one goes with it', () => {
  const recent = filled(3)
  recent.forgotten(idOf(2))
  expect(recent.state.floor).toBe('')
  recent.forgotten(idOf(1))
  expect(recent.state.floor).toBe(idOf(2))
  expect(idsOf(recent)).toEqual([idOf(3)])
})

test('past what can be kept the oldest go, and there is a gap until the record has caught up', () => {
  const recent = filled(MAX_KEPT + 1)
  expect(recent.state).toEqual({ floor: idOf(1), gap: true })
  const loaded = new Recent(
    Array.from({ length: MAX_KEPT }, (_, at) => entryOf(at + 2)),
    recent.state,
  )
  while (loaded.surplus().length > 0) {
    expect(loaded.state.gap).toBe(true)
    loaded.recorded(new Set(loaded.surplus()))
  }
  expect(loaded.state.gap).toBe(false)
  expect(idsOf(loaded)).toHaveLength(MAX_RECENT)
})

test('a page has what was sent before its place, and says whether there is more', () => {
  const recent = filled(2_500)
  expect(recent.page(idOf(3)).entries.map(({ id }) => id)).toEqual([idOf(2), idOf(1)])
  expect(recent.page(idOf(1))).toEqual({ entries: [], more: false })
  const first = recent.page(undefined)
  expect([first.entries.length, first.more]).toEqual([1_000, true])
  expect(recent.page(first.entries.at(-1)?.id).entries[0]?.id).toBe(idOf(1_500))
})
