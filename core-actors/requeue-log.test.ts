import { expect, test } from 'bun:test'
import type { RequestEvent } from '@oriel/protocol/event'
import { foldAll } from '@oriel/protocol/log'
import { LOG_MAX_AGE_MS } from '@oriel/protocol/streams'
import fc from 'fast-check'
import { requeueLog } from './requeue-log.ts'

const FAILED: RequestEvent[] = [
  { n: 1, at: 1, type: 'queued', position: 0 },
  { n: 2, at: 2, type: 'started', node: 'node-1', attempt: 1 },
  { n: 3, at: 3, type: 'responses', response: 'Once', tokens: [7] },
  { n: 4, at: 4, type: 'failed', problem: { kind: 'inference-failed', detail: 'It threw.' }, retriable: true },
]
const LATE = 4 + LOG_MAX_AGE_MS

/** A fenced log as a broker keeps it: sequences only ever grow. @param dies counts down the writes that still work */
function logOf(events: readonly RequestEvent[], now: number, dies = Number.POSITIVE_INFINITY) {
  let sequence = 0
  let left = dies
  let stored = events.map((event) => ({ sequence: ++sequence, event }))
  const port = {
    read: async (after: number) => ({
      entries: stored
        .filter((entry) => entry.sequence > after)
        .map((entry) => ({
          sequence: entry.sequence,
          payload: new TextEncoder().encode(JSON.stringify(entry.event)),
        })),
      more: false,
    }),
    append: async (event: RequestEvent, last: number) => {
      await Promise.resolve()
      if ((stored.at(-1)?.sequence ?? 0) !== last) return 'fenced' as const
      if (left-- <= 0) throw new Error('the broker is away')
      stored.push({ sequence: ++sequence, event })
      return sequence
    },
    purge: async () => {
      if (left-- <= 0) throw new Error('the broker is away')
      stored = []
    },
    now: () => now,
  }
  const revive = () => {
    left = Number.POSITIVE_INFINITY
  }
  return { port, events: () => stored.map(({ event }) => event), revive }
}

test('a log that is young and whole goes on, with a whole budget', async () => {
  const log = logOf(FAILED, 9)
  expect(await requeueLog(log.port, 2, { n: 4 })).toMatchObject({ kind: 'queued', event: { n: 5, position: 2 } })
  expect(foldAll(log.events())).toMatchObject({ status: 'queued', firstAttempt: 2, terminal: undefined })
})

test('of two who try at once one adds `queued`, and the other learns that it is there', async () => {
  const log = logOf(FAILED, 9)
  const both = await Promise.all([requeueLog(log.port, 0, { n: 4 }), requeueLog(log.port, 0, { n: 4 })])
  expect(both.map(({ kind }) => kind).sort()).toEqual(['queued', 'standing'])
  expect(log.events().map(({ n }) => n)).toEqual([1, 2, 3, 4, 5])
})

test.each([
  ['is gone', []],
  ['lacks its beginning', FAILED.slice(2)],
  ['would not last as long as the request', FAILED],
  ['was left half restored', FAILED.slice(0, 2)],
])('a log that %s comes from the record, or is left alone', async (_what, stored) => {
  const log = logOf(stored, LATE)
  expect(await requeueLog(log.port, 0, { n: 4 })).toEqual({ kind: 'incomplete' })
  // A record that is behind will not do either.
  expect(await requeueLog(log.port, 0, { n: 4, events: FAILED.slice(0, 3) })).toEqual({ kind: 'incomplete' })
  expect(log.events()).toEqual([...stored])
  expect(await requeueLog(log.port, 0, { n: 4, events: FAILED })).toMatchObject({ kind: 'queued' })
  expect(log.events().slice(0, 4)).toEqual(FAILED)
  expect(foldAll(log.events()).status).toBe('queued')
})

test('however often it is interrupted, the log is whole in the end and was queued once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 8 }), fc.nat({ max: 4 }), async (dies, kept) => {
      const log = logOf(FAILED.slice(kept), LATE, dies)
      const restore = () => requeueLog(log.port, 0, { n: 4, events: FAILED })
      const [first] = await Promise.allSettled([restore()])
      if (first.status === 'rejected') expect(first.reason).toEqual(new Error('the broker is away'))
      log.revive()
      await restore()
      expect(log.events().slice(0, 4)).toEqual(FAILED)
      expect(log.events().slice(4)).toMatchObject([{ n: 5, type: 'queued' }])
    }),
  )
})

test('a log that has gone on is not touched', async () => {
  const events: RequestEvent[] = [
    ...FAILED,
    { n: 5, at: 5, type: 'queued', position: 0 },
    { n: 6, at: 6, type: 'expired' },
  ]
  const log = logOf(events, LATE)
  expect(await requeueLog(log.port, 0, { n: 4, events: FAILED })).toMatchObject({ kind: 'standing', event: { n: 6 } })
  expect(log.events()).toEqual(events)
})
