import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { MAX_RECENT, Recent } from './recent.ts'

const idOf = (at: number) => String(at).padStart(6, '0')
const entryOf = (at: number) => ({ id: idOf(at), requestID: `r${at}` })

describe('whatever is added, removed and forgotten in whatever order', () => {
  const acts = fc.array(
    fc.tuple(
      fc.constantFrom('add' as const, 'add' as const, 'add' as const, 'remove' as const, 'raise' as const),
      fc.nat(400),
    ),
    { maxLength: 400 },
  )

  test('every accepted request after the floor is there, once, newest first; and no more than are kept', () => {
    fc.assert(
      fc.property(acts, (acts) => {
        const recent = new Recent()
        const accepted = new Set<string>()
        let floor = ''
        for (const [act, at] of acts) {
          if (act === 'add') {
            recent.add(entryOf(at))
            accepted.add(idOf(at))
          } else if (act === 'remove') {
            recent.remove(idOf(at))
            accepted.delete(idOf(at))
          } else recent.raise(idOf(at % 40))
          expect(recent.floor >= floor).toBe(true)
          floor = recent.floor
          const ids = recent.page(undefined).map(({ id }) => id)
          expect(ids).toEqual(
            [...accepted]
              .filter((id) => id > floor)
              .sort()
              .reverse(),
          )
          expect(ids.length).toBeLessThanOrEqual(MAX_RECENT)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('what was stored is what is loaded', () => {
    fc.assert(
      fc.property(acts, (acts) => {
        const recent = new Recent()
        const stored = new Map<string, { id: string; requestID: string }>()
        for (const [act, at] of acts) {
          if (act === 'remove') {
            recent.remove(idOf(at))
            stored.delete(idOf(at))
            continue
          }
          if (act === 'add') stored.set(idOf(at), entryOf(at))
          for (const id of act === 'add' ? recent.add(entryOf(at)) : recent.raise(idOf(at % 40))) stored.delete(id)
        }
        const loaded = new Recent([...stored.values()], recent.floor)
        expect(loaded.page(undefined)).toEqual(recent.page(undefined))
      }),
      { numRuns: 50 },
    )
  })
})

test('a page has what was sent before its place', () => {
  const recent = new Recent([1, 3, 2].map(entryOf))
  expect(recent.page(idOf(3)).map(({ id }) => id)).toEqual([idOf(2), idOf(1)])
})
