import { expect, test } from 'bun:test'
import type { NewEvent } from '@oriel/protocol/event'
import { newRequestId } from '@oriel/protocol/ids'
import { foldAll } from '@oriel/protocol/log'
import fc from 'fast-check'
import { LogAuthor } from './log-author.ts'
import { MemoryRequestLog } from './memory-request-log.ts'
import { ManualClock } from './testing/manual-clock.ts'

const id = newRequestId(0)
const { signal } = new AbortController()

function setup() {
  const log = new MemoryRequestLog()
  const clock = new ManualClock()
  const read = () => LogAuthor.read({ log, shard: 0, id, clock, signal })
  const types = async () => (await log.read(0, id)).events.map(({ type }) => type)
  return { log, clock, read, types }
}

const started =
  (node: string) =>
  (state: { nextAttempt: number }): NewEvent => ({
    type: 'started',
    node,
    attempt: state.nextAttempt,
  })

test('a place in the queue, told after the job was sent, is taken over and not overwritten', async () => {
  const { log, clock, types } = setup()
  const author = LogAuthor.hinted({ log, shard: 0, id, clock, signal }, { events: [], sequence: 0 })
  await log.append(0, id, { n: 1, at: 5, type: 'queued', position: 3 }, 0)
  expect(await author.append(started('a'))).toBeUndefined()
  expect(await types()).toEqual(['queued', 'started'])
})

test('a zombie learns who has the request and writes no more', async () => {
  const { read, types } = setup()
  const [zombie, heir] = [await read(), await read()]
  await zombie.append(started('a'))
  await heir.append(started('b'))
  const lost = { reason: 'superseded', node: 'b', attempt: 2 } as const
  expect(await zombie.append({ type: 'completed' })).toEqual(lost)
  expect(await zombie.append({ type: 'cancelled' })).toEqual(lost)
  expect(await types()).toEqual(['started', 'started'])
})

test('nothing follows the end, whoever wrote it', async () => {
  const { log, read } = setup()
  const author = await read()
  await author.append(started('a'))
  const { sequence } = await log.read(0, id)
  await log.append(0, id, { n: 2, at: 9, type: 'cancelled' }, sequence)
  expect(await author.append({ type: 'completed' })).toEqual({ reason: 'ended' })
  expect(author.state.terminal?.type).toBe('cancelled')
})

test('a log that the broker lost under its author ends the attempt', async () => {
  const { clock } = setup()
  const log = new MemoryRequestLog()
  const author = await LogAuthor.read({ log, shard: 0, id, clock, signal })
  await author.append(started('a'))
  Object.assign(log, { append: async () => 'fenced', read: async () => ({ events: [], sequence: 0 }) })
  const answer = author.append({ type: 'completed' })
  await clock.advance(10_000)
  expect(await answer).toEqual({ reason: 'gone' })
})

test('time does not run backwards in a log when the clocks of two nodes differ', async () => {
  const { log, read } = setup()
  await (await read()).append(started('a'))
  const slow = new ManualClock(1)
  const late = await LogAuthor.read({ log, shard: 0, id, clock: slow, signal })
  await late.append(started('b'))
  const [first, second] = (await log.read(0, id)).events
  expect(second?.at).toBe(Number(first?.at))
})

test('whatever authors do at once, a log has one line of events and each attempt ends at the next', async () => {
  const step = fc.record({ author: fc.nat(3), action: fc.constantFrom('start', 'say', 'end') })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uniqueArray(step, { selector: ({ author }) => author }), { maxLength: 8 }),
      async (rounds) => {
        const { log, read } = setup()
        const authors = new Map<number, LogAuthor>()
        for (const round of rounds) {
          await Promise.all(
            round.map(async ({ author, action }) => {
              if (action === 'start' || !authors.has(author)) {
                const fresh = await read()
                if (!(await fresh.append(started(`${author}`)))) authors.set(author, fresh)
              } else if (action === 'say')
                await authors.get(author)?.append({ type: 'responses', response: `${author}` })
              else await authors.get(author)?.append({ type: 'completed' })
            }),
          )
        }
        const { events } = await log.read(0, id)
        foldAll(events)
        let node: string | undefined
        for (const event of events) {
          if (event.type === 'started') node = event.node
          if (event.type === 'responses') expect(event.response).toBe(node)
        }
      },
    ),
  )
})
