import { describe, expect, test } from 'bun:test'
import type { RequestView } from '@oriel/protocol/api'
import fc from 'fast-check'
import { type HotItem, hotPage, type MergedPage, mergePage, type RecordedItem, type ShownItem } from './history-page.ts'

// A world of requests, some of them known to the hot list, some to the record, and a reader who turns its pages.
interface Truth {
  readonly id: string
  /** Events that have happened, that the actor shows, and that the record has. */
  readonly actor: number | 'gone' | 'silent'
  readonly recorded: number | undefined
}

const viewOf = (id: string, lastEventID: number): RequestView => ({
  requestID: id,
  modelID: 'm',
  request: {},
  responses: [],
  status: 'started',
  sentAt: '2026-11-21T00:00:00.000Z',
  lastEventID,
})
const idOf = (at: number) => String(at).padStart(4, '0')

/** Some newest part is hot; below it all is recorded, and some of the hot are, never further than their actor. */
const worlds = fc
  .record({
    hot: fc.array(
      fc.record({
        actor: fc.oneof({ weight: 6, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.constant('gone' as const) }),
        recorded: fc.option(fc.nat(9), { nil: undefined }),
      }),
      { maxLength: 12 },
    ),
    cold: fc.nat(12),
  })
  .map(({ hot, cold }) => {
    const all = hot.map(({ actor, recorded }, at): Truth => {
      const most = typeof actor === 'number' ? actor : 9
      return { id: idOf(100 + at), actor, recorded: recorded && Math.min(recorded, most) }
    })
    const old = Array.from({ length: cold }, (_, at): Truth => ({ id: idOf(at), actor: 'gone', recorded: 4 }))
    return { hot: all.reverse(), all: [...all, ...old.reverse()] }
  })

const hotOf = ({ id, actor }: Truth): HotItem =>
  typeof actor === 'number' ? { id, view: viewOf(id, actor) } : { id, accepted: actor === 'silent' }

function turn(
  world: { hot: readonly Truth[]; all: readonly Truth[] },
  before: string | undefined,
  limit: number,
  { away = false, chunk = limit, recordLimit = limit, knowsWhole = false } = {},
): { page: MergedPage; asked: boolean } {
  const after = <T extends { id: string }>(list: readonly T[]) =>
    list.filter(({ id }) => before === undefined || id < before)
  const list = after(world.hot)
  const hot = list.slice(0, chunk).map(hotOf)
  const more = list.length > hot.length
  // The record has nothing else, and that is known.
  const whole = knowsWhole && world.all.length === world.hot.length
  const alone = hotPage(hot, more, whole, limit)
  if (alone) return { page: alone, asked: false }
  if (away) return { page: mergePage(hot, more, { kind: 'away' }, limit), asked: true }
  const rows = after(world.all).flatMap(({ id, recorded }): RecordedItem[] =>
    recorded === undefined ? [] : [{ id, whole: true, view: viewOf(id, recorded) }],
  )
  const items = rows.slice(0, recordLimit)
  return { page: mergePage(hot, more, { kind: 'page', items, next: rows.length > items.length }, limit), asked: true }
}

/** What there is to see of a request, and how far. */
const seenOf = ({ actor, recorded }: Truth) => Math.max(typeof actor === 'number' ? actor : -1, recorded ?? -1)

describe('hot and record as one history', () => {
  test('turning the pages shows every request once, newest first, as far as either knows; no page is over its limit', () => {
    const sizes = fc.record({
      limit: fc.integer({ min: 1, max: 8 }),
      chunk: fc.integer({ min: 1, max: 8 }),
      record: fc.integer({ min: 1, max: 8 }),
    })
    fc.assert(
      fc.property(worlds, sizes, fc.boolean(), (world, { limit, chunk, record }, knowsWhole) => {
        const seen: ShownItem[] = []
        let before: string | undefined
        for (let turns = 0; ; turns += 1) {
          expect(turns).toBeLessThan(100)
          const sizes = { chunk: Math.min(chunk, limit), recordLimit: Math.min(record, limit), knowsWhole }
          const { page } = turn(world, before, limit, sizes)
          if (page.kind === 'blocked') throw new Error('blocked, and nothing is away')
          expect(page.items.length).toBeLessThanOrEqual(limit)
          seen.push(...page.items)
          if (page.next === undefined) break
          expect(before === undefined || page.next < before).toBe(true)
          before = page.next
        }
        const expected = world.all.filter((item) => seenOf(item) >= 0)
        expect(seen.map(({ id, view }) => [id, view.lastEventID])).toEqual(
          expected.map((item) => [item.id, seenOf(item)]),
        )
      }),
    )
  })

  test('with the record away a page is what is hot, without a gap, and its cursor leads on', () => {
    fc.assert(
      fc.property(worlds, fc.integer({ min: 1, max: 8 }), (world, limit) => {
        const { page } = turn(world, undefined, limit, { away: true })
        const gap = world.hot.findIndex(({ actor }) => typeof actor !== 'number')
        const shown = world.hot.slice(0, gap === -1 ? limit : Math.min(limit, gap)).map(({ id }) => id)
        if (shown.length === 0) return expect(page.kind).toBe('blocked')
        expect(page).toMatchObject({ kind: 'page', next: shown.at(-1) })
        expect(page.kind === 'page' && page.items.map(({ id }) => id)).toEqual(shown)
      }),
    )
  })

  test('a request that was accepted and that nobody can show now ends the page before it', () => {
    const world = (['silent', 3] as const).map((actor, at) => ({ id: idOf(at), actor, recorded: undefined })).reverse()
    const first = turn({ hot: world, all: world }, undefined, 5).page
    expect(first).toMatchObject({ kind: 'page', next: idOf(1) })
    expect(turn({ hot: world, all: world }, idOf(1), 5).page).toEqual({ kind: 'blocked' })
  })

  test('an actor that cannot tell how far its request is leaves it to a record that has its end, and to no other', () => {
    const id = idOf(1)
    const hot = [{ id, accepted: true }]
    const record = (whole: boolean) =>
      ({ kind: 'page', items: [{ id, whole, view: viewOf(id, 4) }], next: false }) as const
    expect(mergePage(hot, false, record(true), 5)).toMatchObject({ kind: 'page', items: [{ id }] })
    expect(mergePage(hot, false, record(false), 5)).toEqual({ kind: 'blocked' })
  })

  test('a request that both know is taken from the one that has seen more of it', () => {
    const id = idOf(1)
    for (const [actor, recorded] of [
      [5, 0],
      [3, 5],
    ] as const) {
      const record = { kind: 'page', items: [{ id, whole: true, view: viewOf(id, recorded) }], next: false } as const
      const page = mergePage([{ id, view: viewOf(id, actor) }], false, record, 5)
      expect(page).toEqual({ kind: 'page', items: [{ id, view: viewOf(id, 5) }], next: undefined })
    }
  })

  test('a full page of hot requests is given without the record', () => {
    const world = [1, 2, 3].map((at) => ({ id: idOf(at), actor: 2, recorded: undefined })).reverse()
    expect(turn({ hot: world, all: world }, undefined, 2).asked).toBe(false)
    expect(turn({ hot: world, all: world }, undefined, 4).asked).toBe(true)
    expect(turn({ hot: world, all: world }, undefined, 4, { knowsWhole: true })).toMatchObject({
      asked: false,
      page: { next: undefined },
    })
    expect(turn({ hot: [], all: [] }, undefined, 4, { knowsWhole: true })).toMatchObject({ asked: false })
  })
})
