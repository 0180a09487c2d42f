import { expect, test } from 'bun:test'
import type { RequestEvent } from '@oriel/protocol/event'
import { DUPLICATE_WINDOW_MS } from '@oriel/protocol/streams'
import fc from 'fast-check'
import type { Sighting } from './remedy.ts'
import { isQuiet, remedyFor } from './remedy.ts'
import type { End } from './request.ts'

const problem = { kind: 'host-crashed', detail: '' } as const
const queued: RequestEvent = { n: 1, at: 0, type: 'queued', position: 3 }
const responses: RequestEvent = { n: 3, at: 0, type: 'responses', response: '' }
const retrying: RequestEvent = { n: 3, at: 0, type: 'retrying', attempt: 2, inMs: 60_000, problem }
const failed: RequestEvent = { n: 4, at: 0, type: 'failed', problem, retriable: false }
const undone: End = { status: 'failed', n: 4, at: 0 }

/** A confirmed request whose log goes on, long after it was sent. */
const well: Sighting = {
  last: { ...responses, at: DUPLICATE_WINDOW_MS },
  undone: undefined,
  unsure: false,
  begun: true,
  sentAt: 0,
  dispatchedAt: undefined,
  queueSince: undefined,
  now: DUPLICATE_WINDOW_MS,
}
const later = DUPLICATE_WINDOW_MS + 600_000

test('a request that somebody works on needs nothing', () => {
  expect(remedyFor(well)).toEqual({ kind: 'nothing' })
})

test('an end that was missed is noticed', () => {
  const end = { kind: 'end', end: { status: 'failed', n: 4, at: 0 } } as const
  expect(remedyFor({ ...well, last: failed })).toEqual(end)
  expect(remedyFor({ ...well, last: failed, undone: { ...undone, n: 2 } })).toEqual(end)
})

test('a log that never began is sent; one that did was lost with its job', () => {
  expect(remedyFor({ ...well, last: undefined, begun: false })).toEqual({ kind: 'send', lost: false })
  expect(remedyFor({ ...well, last: undefined })).toEqual({ kind: 'send', lost: true })
})

test('a job that waits is sent again while the broker tells repeats, or did not confirm it', () => {
  expect(remedyFor({ ...well, last: queued, now: DUPLICATE_WINDOW_MS - 1 })).toEqual({ kind: 'send', lost: false })
  expect(remedyFor({ ...well, last: queued })).toEqual({ kind: 'nothing' })
  expect(remedyFor({ ...well, last: queued, unsure: true })).toEqual({ kind: 'send', lost: false })
})

test('of a request that a node has begun only the fact may be missing', () => {
  expect(remedyFor({ ...well, unsure: true })).toEqual({ kind: 'accept' })
})

test('a log that is to go on after an end, and does not, is taken up again', () => {
  const takeUp = { kind: 'take-up', end: undone } as const
  expect(remedyFor({ ...well, undone, last: failed })).toEqual({ ...takeUp, lost: false })
  expect(remedyFor({ ...well, undone, last: undefined, begun: false })).toEqual({ ...takeUp, lost: false })
  expect(remedyFor({ ...well, undone, last: undefined })).toEqual({ ...takeUp, lost: true })
  expect(remedyFor({ ...well, undone })).toEqual({ kind: 'nothing' })
})

test('a job is lost when its log is quiet and its queue was begun after it was sent', () => {
  const quiet = { ...well, now: later, queueSince: 5_000 }
  expect(remedyFor(quiet)).toEqual({ kind: 'send', lost: true })
  expect(remedyFor({ ...quiet, dispatchedAt: 6_000 })).toEqual({ kind: 'nothing' })
  expect(remedyFor({ ...quiet, queueSince: undefined })).toEqual({ kind: 'nothing' })
  expect(remedyFor({ ...well, queueSince: 5_000 })).toEqual({ kind: 'nothing' })
})

test('a retry is not quiet before it is due; a log that has ended, or has to go on, never is', () => {
  expect(isQuiet({ last: responses, undone: undefined, now: 30_000 })).toBe(true)
  expect(isQuiet({ last: retrying, undone: undefined, now: 30_000 })).toBe(false)
  expect(isQuiet({ last: retrying, undone: undefined, now: 90_000 })).toBe(true)
  expect(isQuiet({ last: failed, undone, now: later })).toBe(false)
  expect(isQuiet({ last: failed, undone: undefined, now: later })).toBe(false)
  expect(isQuiet({ last: undefined, undone: undefined, now: later })).toBe(false)
})

test('whatever is seen: what is lost is never left alone, and no end that was undone ends it', () => {
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
  const times = fc.nat({ max: 10 * 60_000 })
  const sightings = fc.record({
    last: maybe(fc.constantFrom(queued, responses, retrying, failed)),
    undone: maybe(fc.record({ status: fc.constant('failed' as const), n: fc.nat({ max: 6 }), at: fc.constant(0) })),
    unsure: fc.boolean(),
    begun: fc.boolean(),
    sentAt: times,
    dispatchedAt: maybe(times),
    queueSince: maybe(times),
    now: times,
  })
  fc.assert(
    fc.property(sightings, (sighting) => {
      const remedy = remedyFor(sighting)
      if (!sighting.last) expect(remedy.kind).toBe(sighting.undone ? 'take-up' : 'send')
      if (remedy.kind === 'end') expect(remedy.end.n).toBeGreaterThan(sighting.undone?.n ?? 0)
      if (sighting.unsure) expect(remedy.kind).not.toBe('nothing')
    }),
  )
})
