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
    told: [] as RequestEvent[],
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

test('a log that was lost begins as it began for clients, also one that is there in part, and then ends', async () => {
  const told = [1, 2, 3].map((n): RequestEvent => ({ n, at: n, type: 'queued', position: 9 - n }))
  for (const left of [0, 1, 3]) {
    const log = logWith([])
    log.events.splice(0, 1, ...told.slice(0, left))
    const { events } = await endLog({ ...log, told }, { type: 'expired' })
    expect(events).toEqual([...told, { n: 4, at: 99, type: 'expired' }])
    expect(log.events).toEqual(events)
  }
})

test('what clients were told is not written into a log that began otherwise', async () => {
  const told = [1, 2].map((n): RequestEvent => ({ n, at: 7, type: 'queued', position: 0 }))
  const log = logWith([])
  const { events } = await endLog({ ...log, told }, { type: 'cancelled' })
  expect(events.map(({ n, type }) => [n, type])).toEqual([
    [1, 'queued'],
    [2, 'cancelled'],
  ])
})

test('whoever writes a lost log again while we do wins, and it ends once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('progress' as const, 'completed' as const), { maxLength: 9 }),
      async (rival) => {
        const told = [1, 2, 3, 4].map((n): RequestEvent => ({ n, at: n, type: 'progress', elapsedMs: n }))
        const log = logWith([...rival])
        log.events.splice(0)
        const ending = await endLog({ ...log, told }, { type: 'expired' })
        expect(ending.events).toEqual(log.events)
        expect(log.events.map(({ n }) => n)).toEqual(log.events.map((_, index) => index + 1))
        expect(log.events.filter(isTerminal)).toEqual([ending.event] as never)
      },
    ),
  )
})
