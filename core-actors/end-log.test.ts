import { expect, test } from 'bun:test'
import type { RequestEvent } from '@oriel/protocol/event'
import { isTerminal } from '@oriel/protocol/event'
import { foldAll } from '@oriel/protocol/log'
import fc from 'fast-check'
import { endLog } from './end-log.ts'

/** A fenced log, and a rival that writes `rival` events between our reads and our writes. */
function logWith(rival: RequestEvent['type'][]) {
  const events: RequestEvent[] = [{ n: 1, at: 0, type: 'queued', position: 0 }]
  const write = (event: RequestEvent, last: number) => {
    if (last !== events.length) return 'fenced' as const
    return events.push(event)
  }
  const rivalWrites = () => {
    const type = rival.shift()
    if (!type || events.some(isTerminal)) return
    const n = events.length + 1
    write(type === 'completed' ? { n, at: n, type } : { n, at: n, type: 'progress', elapsedMs: n }, events.length)
  }
  return {
    events,
    read: async (after: number) => ({
      entries: events.slice(after).map((event, index) => ({
        sequence: after + index + 1,
        payload: new TextEncoder().encode(JSON.stringify(event)),
      })),
      more: false,
    }),
    append: async (event: RequestEvent, last: number) => {
      rivalWrites()
      return write(event, last)
    },
    now: () => 99,
  }
}

test('however the race goes, the log ends once and both sides learn the same end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('progress' as const, 'completed' as const), { maxLength: 20 }),
      async (rival) => {
        const log = logWith([...rival])
        const ending = await endLog(log, { type: 'cancelled' })
        expect(ending.events).toEqual(log.events)
        expect(foldAll(log.events).terminal).toEqual(ending.event as never)
        expect(log.events.filter(isTerminal)).toHaveLength(1)
      },
    ),
  )
})

test('a log that has ended is left as it is', async () => {
  const log = logWith([])
  const first = await endLog(log, { type: 'expired' })
  const second = await endLog(log, { type: 'cancelled' })
  expect(second).toEqual(first)
})
