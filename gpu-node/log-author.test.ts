import { expect, test } from 'bun:test'
import type { NewEvent, RequestEvent } from '@oriel/protocol/event'
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

test('a log that the broker lost and does not take again ends the attempt', async () => {
  const { clock } = setup()
  const log = new MemoryRequestLog()
  const author = await LogAuthor.read({ log, shard: 0, id, clock, signal })
  await author.append(started('a'))
  Object.assign(log, { append: async () => 'fenced', read: async () => ({ events: [], sequence: 0 }) })
  const answer = author.append({ type: 'completed' })
  await clock.advance(10_000)
  expect(await answer).toEqual({ reason: 'gone' })
})

test('a lost log is written again, and what the relay has said meanwhile stands in place of what it said before', async () => {
  const { log, clock } = setup()
  await log.append(0, id, { n: 1, at: 1, type: 'queued', position: 9 }, 0)
  const author = await LogAuthor.read({ log, shard: 0, id, clock, signal })
  await author.append(started('a'))
  await author.append({ type: 'responses', response: 'Once' })
  log.loseState()
  await log.append(0, id, { n: 1, at: 5, type: 'queued', position: 0 }, 0)
  expect(await author.append({ type: 'responses', response: ' upon' })).toBeUndefined()
  const { events } = await log.read(0, id)
  expect(events).toMatchObject([
    { n: 1, type: 'queued', position: 0 },
    { n: 2, type: 'started' },
    { n: 3, response: 'Once' },
    { n: 4, response: ' upon' },
  ])
})

test('a sequence that is the same by chance does not make two logs one', async () => {
  const { log, clock } = setup()
  const author = await LogAuthor.read({ log, shard: 0, id, clock, signal })
  await author.append(started('a'))
  log.loseState()
  // The new log has its event where the old one had its own: the fence alone would let us in.
  await log.append(0, id, { n: 1, at: 5, type: 'queued', position: 0 }, 0)
  await author.append({ type: 'responses', response: 'Once' })
  const { events } = await log.read(0, id)
  expect(events.map(({ n, type }) => [n, type])).toEqual([
    [1, 'queued'],
    [2, 'started'],
    [3, 'responses'],
  ])
})

test.each([true, false])(
  'an event whose answer a reconnect took is in the log once, arrived or not: %p',
  async (arrived) => {
    const { log, clock, types } = setup()
    const author = await LogAuthor.read({ log, shard: 0, id, clock, signal })
    const append = log.append.bind(log)
    log.append = async (...args) => {
      log.append = append
      if (arrived) await append(...args)
      log.epoch++
      return 'fenced'
    }
    expect(await author.append(started('a'))).toBeUndefined()
    expect(await author.append({ type: 'completed' })).toBeUndefined()
    expect(await types()).toEqual(['started', 'completed'])
  },
)

test('a log that another node has begun anew is left to it', async () => {
  const { log, clock, types } = setup()
  const author = await LogAuthor.read({ log, shard: 0, id, clock, signal })
  await author.append(started('a'))
  await author.append({ type: 'responses', response: 'Once' })
  log.loseState()
  const other = await LogAuthor.read({ log, shard: 0, id, clock, signal })
  await other.append(started('b'))
  expect(await author.verify()).toEqual({ reason: 'superseded', node: 'b', attempt: 1 })
  expect(await types()).toEqual(['started'])
})

test('wherever a log is lost or cut, a client that comes back by number has each event once', async () => {
  const word = fc.constantFrom('say', 'lose', 'cut', 'reconnect', 'queue')
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 20 }), fc.boolean(), async (words, queued) => {
      const { log, clock } = setup()
      let told = 0
      const seen: RequestEvent[] = []
      const listen = async () => {
        for (const event of (await log.read(0, id)).events) if (event.n > (seen.at(-1)?.n ?? 0)) seen.push(event)
      }
      if (queued) await log.append(0, id, { n: 1, at: 1, type: 'queued', position: 3 }, 0)
      const author = await LogAuthor.read({ log, shard: 0, id, clock, signal })
      await author.append(started('a'))
      for (const step of words) {
        if (step === 'say') expect(await author.append({ type: 'responses', response: told++ })).toBeUndefined()
        if (step === 'reconnect') log.epoch++
        if (step === 'lose') log.loseState()
        if (step === 'cut') log.loseState((await log.read(0, id)).events.length >> 1)
        // A relay tells the place of a request whose log has nothing else.
        const { events, sequence } = await log.read(0, id)
        if (step === 'queue' && queued && events.length === 0) {
          await log.append(0, id, { n: 1, at: 2, type: 'queued', position: 0 }, sequence)
        }
        await listen()
      }
      await author.append({ type: 'completed' })
      await listen()
      expect(seen.map(({ n }) => n)).toEqual(seen.map((_, index) => index + 1))
      const said = (events: readonly RequestEvent[]) =>
        events.flatMap((event) => (event.type === 'responses' ? [event.response] : []))
      expect(said(seen)).toEqual(Array.from({ length: told }, (_, index) => index))
      expect(said((await log.read(0, id)).events)).toEqual(said(seen))
    }),
  )
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
