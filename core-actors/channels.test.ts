import { describe, expect, test } from 'bun:test'
import type { RequestEvent } from '@oriel/protocol/event'
import { WINDOW_CHARS } from './channel.ts'
import { Channels } from './channels.ts'
import type { PrintedEntry } from './log-entry.ts'
import { printEntry } from './log-entry.ts'
import type { Attached } from './relay-port.ts'

const ABOUT = { model: 'm', version: '1', lane: 'interactive' } as const

/** A broker that is there. */
const THERE = { isThere: true, there: async () => {} }

const encoder = new TextEncoder()
const payload = (n: number, size = 0, type = 'responses') =>
  encoder.encode(JSON.stringify({ n, at: 0, type, response: 'x'.repeat(size), tokens: [n] }))

/** A relay's requests over one log in memory, and a clock that the test moves. */
function channelsOf(log: Uint8Array[] = []) {
  const clock = { now: 0 }
  const reads: number[] = []
  const channels = new Channels(
    {
      ...THERE,
      last: async () => {
        const item = log.at(-1)
        return item && printEntry(item)
      },
      page: async (_, after) => {
        reads.push(after)
        return { entries: log.slice(after).map((item, index) => printEntry(item, after + index + 1)), more: false }
      },
    },
    () => new TransformStream(),
    () => clock.now,
  )
  return { channels, clock, reads }
}

/** The same at a broker that is away until the test says otherwise. */
function awayChannels(log: Uint8Array[]) {
  const clock = { now: 0 }
  const asked: string[] = []
  let there = Promise.withResolvers<void>()
  let failure: string | undefined
  const logs = {
    isThere: false,
    there: () => there.promise,
    last: async () => {
      asked.push('last')
      const item = log.at(-1)
      return item && printEntry(item)
    },
    page: async () => {
      asked.push('page')
      if (failure !== undefined) {
        there = Promise.withResolvers()
        logs.isThere = false
        throw new Error(failure)
      }
      return { entries: log.map((item, index) => printEntry(item, index + 1)), more: false }
    },
  }
  const back = () => {
    failure = undefined
    logs.isThere = true
    there.resolve()
  }
  const away = (why: string) => {
    failure = why
  }
  const channels = new Channels(
    logs,
    () => new TransformStream(),
    () => clock.now,
  )
  return { channels, clock, asked, back, away }
}

const ids = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))

async function take(stream: ReadableStream<Uint8Array>, count: number): Promise<number[][]> {
  const chunks: number[][] = []
  for await (const chunk of stream) {
    const found = ids(new TextDecoder().decode(chunk))
    if (found.length > 0) chunks.push(found)
    if (chunks.flat().length >= count) break
  }
  return chunks
}

test('what arrives in one turn leaves as one chunk, to every reader of the request and no other', async () => {
  const { channels } = channelsOf()
  const [a, b] = [channels.of('a', ABOUT), channels.of('b', ABOUT)]
  const [one, two, other] = [a.open(0), a.open(0), b.open(0)]
  channels.arrived('b', payload(1))
  for (const n of [1, 2, 3]) channels.arrived('a', payload(n))
  expect(await take(one, 3)).toEqual([[1, 2, 3]])
  expect(await take(two, 3)).toEqual([[1, 2, 3]])
  expect(await take(other, 1)).toEqual([[1]])
})

test('a stream has what was there, what comes, and ends with the terminal event; tokens stay inside', async () => {
  const log = [payload(1), payload(2)]
  const { channels } = channelsOf(log)
  const text = new Response(channels.of('a', ABOUT).open(0)).text()
  log.push(payload(3, 0, 'completed'))
  channels.arrived('a', payload(3, 0, 'completed'))
  expect(ids(await text)).toEqual([1, 2, 3])
  expect(await text).toStartWith('retry: 500\n\n')
  expect(await text).not.toContain('tokens')
})

test('a client that comes right after the submit is served without a read', async () => {
  const { channels, reads } = channelsOf()
  const channel = channels.of('a', ABOUT)
  channels.arrived('a', payload(1))
  const text = new Response(channel.open(0)).text()
  channels.arrived('a', payload(2, 0, 'completed'))
  expect(ids(await text)).toEqual([1, 2])
  expect(ids(channel.document(1) ?? '')).toEqual([2])
  expect(reads).toEqual([])
})

test('a reader that does not take is given no more than its buffer, and the rest from the log', async () => {
  const log = Array.from({ length: 8 }, (_, index) => payload(index + 1, WINDOW_CHARS / 2 + 1))
  const { channels, reads } = channelsOf(log)
  const stream = channels.of('a', ABOUT).open(0)
  for (const item of log) channels.arrived('a', item)
  expect((await take(stream, 8)).flat()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(reads.length).toBeGreaterThan(0)
})

test('a reader that left is forgotten, and its channel some time later', async () => {
  const { channels, clock } = channelsOf()
  const stream = channels.of('a', ABOUT).open(0)
  channels.arrived('a', payload(1))
  await stream.cancel()
  await Promise.resolve()
  channels.arrived('a', payload(2))
  await Promise.resolve()
  expect(channels.of('a', ABOUT).readers).toBe(0)
  clock.now = 60_000
  channels.sweep()
  expect(channels.size).toBe(0)
})

test('a live event that was lost with nothing after it is found by the sweep', async () => {
  const log = [payload(1)]
  const { channels, clock } = channelsOf(log)
  const stream = channels.of('a', ABOUT).open(0)
  channels.arrived('a', payload(1))
  log.push(payload(2))
  clock.now = 7_000
  channels.sweep()
  expect((await take(stream, 2)).flat()).toEqual([1, 2])
})

test('a log that is quiet is looked at again, not at every sweep', async () => {
  const { channels, clock, reads } = channelsOf([payload(1)])
  void channels.of('a', ABOUT).open(0)
  await Bun.sleep(0)
  reads.splice(0)
  for (clock.now = 0; clock.now <= 20_000; clock.now += 2_000) {
    channels.sweep()
    await Bun.sleep(0)
  }
  expect(reads.length).toBe(2)
})

test('an end that was lost live and read by one is told to everyone who waits for it', async () => {
  const log = [payload(1)]
  const { channels, clock } = channelsOf(log)
  const channel = channels.of('a', ABOUT)
  const text = new Response(channel.open(0)).text()
  channels.arrived('a', payload(1))
  const end = channel.untilEnded()
  log.push(payload(2, 0, 'completed'))
  clock.now = 7_000
  channels.sweep()
  expect(ids(await text)).toEqual([1, 2])
  expect(await end).toMatchObject({ n: 2, type: 'completed' })
})

test('an end that one reads before it comes live reaches the others', async () => {
  const log = [payload(1)]
  const { channels } = channelsOf(log)
  const channel = channels.of('a', ABOUT)
  const first = new Response(channel.open(0)).text()
  channels.arrived('a', payload(1))
  await Bun.sleep(0)
  channel.drop()
  log.push(payload(2, 0, 'completed'))
  const second = new Response(channel.open(0)).text()
  expect(ids(await second)).toEqual([1, 2])
  channels.arrived('a', payload(2, 0, 'completed'))
  expect(ids(await first)).toEqual([1, 2])
})

test('the end of a page is not taken for the end of the log', async () => {
  const channels = new Channels(
    {
      ...THERE,
      last: async () => undefined,
      page: (_, after) =>
        after > 0 ? new Promise(() => {}) : Promise.resolve({ entries: [printEntry(payload(1), 1)], more: true }),
    },
    () => new TransformStream(),
  )
  const channel = channels.of('a', ABOUT)
  expect((await take(channel.open(0), 1)).flat()).toEqual([1])
  expect(channel.last).toBeUndefined()
})

test('after a reconnect every reader goes on from its place, though the broker has another log', async () => {
  const log = [payload(1), payload(2)]
  const { channels } = channelsOf(log)
  const text = new Response(channels.of('a', ABOUT).open(0)).text()
  await Bun.sleep(0)
  log.splice(0)
  channels.resyncAll()
  for (const n of [1, 2]) {
    log.push(payload(n))
    channels.arrived('a', payload(n))
  }
  channels.arrived('a', payload(3, 0, 'completed'))
  expect(ids(await text)).toEqual([1, 2, 3])
})

test('a client that comes when the log has begun anew gets its events live, though their numbers were heard before', async () => {
  const log = [1, 2, 3].map((n) => payload(n))
  const { channels } = channelsOf(log)
  channels.of('a', ABOUT)
  for (const item of log.splice(0)) channels.arrived('a', item)
  channels.resyncAll()
  const stream = channels.of('a', ABOUT).open(0)
  await Bun.sleep(0)
  for (const n of [1, 2]) channels.arrived('a', payload(n))
  expect((await take(stream, 2)).flat()).toEqual([1, 2])
})

test('a log that was lost and began anew may end below where its readers are: they are given that end', async () => {
  const log = [1, 2, 3, 4, 5].map((n) => payload(n))
  const { channels } = channelsOf(log)
  const text = new Response(channels.of('a', ABOUT).open(0)).text()
  await Bun.sleep(0)
  log.splice(0, 5, payload(1), payload(2, 0, 'completed'))
  channels.resyncAll()
  expect(ids(await text)).toEqual([1, 2, 3, 4, 5, 2])
})

test('the same when nobody saw that the log was lost, until it is begun or ended again', async () => {
  const { channels } = channelsOf()
  const [begun, cancelled] = [channels.of('begun', ABOUT), channels.of('cancelled', ABOUT)]
  for (const id of ['begun', 'cancelled']) for (const n of [1, 2, 3]) channels.arrived(id, payload(n))
  const texts = [begun, cancelled].map((channel) => new Response(channel.open(3)).text())
  const asked = begun.untilEnded()
  begun.begun(printEntry(payload(1)))
  channels.arrived('begun', payload(2, 0, 'failed'))
  expect(await asked).toMatchObject({ n: 2 })
  const ended = cancelled.untilEnded()
  channels.arrived('cancelled', payload(1, 0, 'cancelled'))
  expect(await ended).toMatchObject({ n: 1 })
  expect((await Promise.all(texts)).map(ids)).toEqual([[2], [1]])
})

test('a client that has the end already is given nothing more, and an end of its stream', async () => {
  const { channels } = channelsOf()
  const channel = channels.of('a', ABOUT)
  channels.arrived('a', payload(1, 0, 'completed'))
  expect(ids(await new Response(channel.open(1)).text())).toEqual([])
})

test('while the broker is away streams are neither broken nor let go', async () => {
  const log = [payload(1)]
  const { channels, clock, reads } = channelsOf(log)
  const text = new Response(channels.of('a', ABOUT).open(0)).text()
  await Bun.sleep(0)
  for (clock.now = 0; clock.now <= 61_000; clock.now += 2_000) channels.sweep(false)
  expect(reads).toEqual([0])
  log.push(payload(2, 0, 'completed'))
  channels.resyncAll()
  expect(ids(await text)).toEqual([1, 2])
})

test('a stream that has been quiet for a minute is let go, so that its client comes back', async () => {
  const { channels, clock } = channelsOf([payload(1)])
  const text = new Response(channels.of('a', ABOUT).open(0)).text()
  await Bun.sleep(0)
  clock.now = 61_000
  channels.sweep()
  expect(ids(await text)).toEqual([1])
})

test('who waits for the end is told of it, also when it came while the broker could not be heard', async () => {
  const log = [payload(1)]
  const { channels } = channelsOf(log)
  const [heard, missed] = [channels.untilEnded('a', ABOUT), channels.untilEnded('b', ABOUT)]
  await Bun.sleep(0)
  channels.arrived('a', payload(2, 0, 'failed'))
  expect(await heard).toMatchObject({ n: 2, type: 'failed' })
  log.push(payload(2, 0, 'completed'))
  channels.resyncAll()
  expect(await missed).toMatchObject({ n: 2, type: 'completed' })
})

test('who waits for the end while the broker is away neither asks it nor fails, and is kept', async () => {
  const { channels, clock, back, asked } = awayChannels([payload(1, 0, 'completed')])
  const ended = channels.untilEnded('a', ABOUT)
  const text = new Response(channels.of('b', ABOUT).open(0)).text()
  for (clock.now = 0; clock.now <= 61_000; clock.now += 2_000) channels.sweep(false)
  expect(asked).toEqual([])
  back()
  channels.resyncAll()
  expect(await ended).toMatchObject({ n: 1, type: 'completed' })
  expect(ids(await text)).toEqual([1])
})

test('a log whose reading the loss of the broker interrupts is read again, and its stream does not break', async () => {
  const { channels, back, asked, away } = awayChannels([payload(1, 0, 'completed')])
  back()
  away('while it is asked')
  const text = new Response(channels.of('a', ABOUT).open(0)).text()
  await Bun.sleep(0)
  expect(asked).toEqual(['page'])
  back()
  expect(ids(await text)).toEqual([1])
})

test('a log that is not to be read at a broker that is there breaks its stream: the client comes back', async () => {
  const page = () => Promise.reject(new Error('no answer'))
  const channels = new Channels({ ...THERE, last: async () => undefined, page }, () => new TransformStream())
  await expect(new Response(channels.of('a', ABOUT).open(0)).text()).rejects.toThrow('no answer')
})

test('a request is kept for as long as somebody waits for its end', async () => {
  const { channels, clock } = channelsOf([payload(1)])
  const end = channels.untilEnded('a', ABOUT)
  await Bun.sleep(0)
  clock.now = 60_000
  channels.sweep()
  channels.arrived('a', payload(2, 0, 'completed'))
  expect(await end).toMatchObject({ n: 2 })
})

test('what is kept of a log has no gap: a client that comes after one reads the log', async () => {
  const log = [1, 2, 3].map((n) => payload(n))
  const { channels } = channelsOf(log)
  const channel = channels.of('a', ABOUT)
  for (const item of [log[0], log[2]]) channels.arrived('a', item ?? payload(0))
  expect((await take(channel.open(0), 3)).flat()).toEqual([1, 2, 3])
})

test('only those who wait, and are listened to, are told how long; who has waited longest is first', () => {
  const { channels, clock } = channelsOf()
  const hear = (id: string, n: number, type: string) => channels.arrived(id, payload(n, 0, type))
  for (const [index, id] of ['later', 'read', 'unread', 'started', 'for its model'].entries()) {
    const channel = channels.of(id, ABOUT)
    clock.now = index === 0 ? 2 : 1
    if (id !== 'unread') void channel.open(0)
    hear(id, 1, 'queued')
  }
  channels.arrived('started', encoder.encode(JSON.stringify({ n: 2, at: 0, type: 'started', node: 'a' })))
  channels.arrived(
    'for its model',
    encoder.encode(JSON.stringify({ n: 2, at: 0, type: 'progress', waitingFor: 'model' })),
  )
  expect(channels.waiting(3_000, 10)).toEqual([])
  clock.now = 3_002
  expect(channels.waiting(3_000, 1)).toEqual([{ id: 'read', ...ABOUT }])
  expect(channels.waiting(3_000, 10).map(({ id }) => id)).toEqual(['for its model', 'later'])
  expect(channels.waiting(3_000, 10)).toEqual([])
})

test('all windows together are bounded: the newest requests keep theirs', () => {
  const { channels } = channelsOf()
  const ids = Array.from({ length: 300 }, (_, index) => `r${index}`)
  for (const id of ids) {
    channels.of(id, ABOUT)
    channels.arrived(id, payload(1, WINDOW_CHARS - 200))
  }
  channels.sweep()
  const kept = ids.filter((id) => channels.of(id, ABOUT).chars > 0)
  expect(kept.length).toBeLessThan(260)
  expect(kept).toEqual(ids.slice(-kept.length))
})

describe('a client is given', () => {
  const reading = { ...ABOUT, after: 0, ended: false, renewed: false }
  const log = [payload(1, 0, 'queued'), payload(2), payload(3, 0, 'completed')]
  const shown = (attached: Attached) => (attached.kind === 'whole' ? ids(attached.text) : attached.kind)

  test('what it has not of a log that has ended, without a stream', async () => {
    const { channels } = channelsOf(log)
    expect(shown(await channels.attach('a', { ...reading, ended: true }))).toEqual([1, 2, 3])
    expect(shown(await channels.attach('b', { ...reading, ended: true, after: 1 }))).toEqual([2, 3])
    expect(shown(await channels.attach('c', { ...reading, after: 3 }))).toBe('over')
  })

  test('a refusal, when it claims an event that was never issued', async () => {
    const { channels } = channelsOf(log)
    expect(shown(await channels.attach('a', { ...reading, after: 4 }))).toBe('unissued')
  })

  test('a stream, when the broker may have lost what was issued, and it is not all written again', async () => {
    expect(shown(await channelsOf().channels.attach('a', { ...reading, after: 4 }))).toBe('live')
    const { channels, clock } = channelsOf(log.slice(0, 1))
    channels.resyncAll()
    expect(shown(await channels.attach('a', { ...reading, after: 4 }))).toBe('live')
    clock.now = 10_000
    expect(shown(await channels.attach('b', { ...reading, after: 4 }))).toBe('unissued')
  })

  test('the end, when a log that began anew ended below its place', async () => {
    const { channels } = channelsOf(log)
    for (const ended of [false, true]) {
      expect(shown(await channels.attach('a', { ...reading, after: 9, ended, renewed: true }))).toEqual([3])
    }
  })

  test('what the record has, when the broker has not all of a log that has ended', async () => {
    for (const rest of [log.slice(1), log.slice(0, 2), []]) {
      const { channels } = channelsOf(rest)
      expect(shown(await channels.attach('a', { ...reading, ended: true }))).toBe('missing')
    }
  })
})

test('a request that is forgotten while its log is asked is known again when the answer comes', async () => {
  const clock = { now: 0 }
  const { promise, resolve } = Promise.withResolvers<PrintedEntry>()
  const channels = new Channels(
    { ...THERE, last: () => promise, page: () => new Promise(() => {}) },
    () => new TransformStream(),
    () => clock.now,
  )
  const attached = channels.attach('read', { ...ABOUT, after: 1, ended: false, renewed: false })
  const ended = channels.untilEnded('awaited', ABOUT)
  clock.now = 6_000
  channels.sweep()
  expect(channels.size).toBe(1) // somebody waits for the end of the other
  resolve(printEntry(payload(1)))
  const stream = await attached
  await Promise.resolve()
  for (const id of ['read', 'awaited']) channels.arrived(id, payload(2, 0, 'completed'))
  expect(stream.kind === 'live' && ids(await new Response(stream.body).text())).toEqual([2])
  expect(await ended).toMatchObject({ n: 2 })
})

test('ten thousand requests whose readers take nothing stay within bounds, and one who reads has every event', async () => {
  const READERS = 10_000
  const EVENTS = 30
  const CHARS = 1_000
  const log = Array.from({ length: EVENTS }, (_, index) => payload(index + 1, CHARS))
  const { channels } = channelsOf(log)
  for (let index = 0; index < READERS; index += 1) void channels.of(`silent-${index}`, ABOUT).open(0)
  const active = take(channels.of('active', ABOUT).open(0), EVENTS)
  for (const event of log) {
    for (let index = 0; index < READERS; index += 1) channels.arrived(`silent-${index}`, event)
    channels.arrived('active', event)
    await Bun.sleep(0)
  }
  expect((await active).flat()).toEqual(log.map((_, index) => index + 1))
  // 300 MB of events: 16 Mi characters may wait, and past them 4 Ki for each reader and the event that fills it.
  const { waiting, kept } = channels.chars
  expect(waiting).toBeLessThan(16 * 1024 * 1024 + READERS * (4 * 1024 + 2 * CHARS))
  expect(kept).toBeLessThan(24 * 1024 * 1024 + WINDOW_CHARS)
  channels.sweep()
  expect(channels.chars.kept).toBeLessThan(16 * 1024 * 1024 + WINDOW_CHARS)
}, 60_000)

test('after a reconnect thousands of readers do not read their logs all at once', async () => {
  let reading = 0
  let most = 0
  const channels = new Channels(
    {
      ...THERE,
      last: async () => undefined,
      page: async () => {
        reading += 1
        most = Math.max(most, reading)
        await Bun.sleep(0)
        reading -= 1
        return { entries: [printEntry(payload(1, 0, 'completed'), 1)], more: false }
      },
    },
    () => new TransformStream(),
  )
  const streams = Array.from({ length: 1_000 }, (_, index) => channels.of(`r${index}`, ABOUT).open(0))
  const texts = await Promise.all(streams.map((stream) => new Response(stream).text()))
  expect(texts.every((text) => ids(text).join() === '1')).toBe(true)
  expect(most).toBe(64)
})

test('who waits for the end of a request that is long quiet is asked to ask again, and once a minute', async () => {
  const { channels, clock } = channelsOf()
  const channel = channels.of('a', ABOUT)
  channels.arrived('a', payload(1, 0, 'queued'))
  const first = channel.untilEnded()
  clock.now = 61_000
  channels.sweep()
  expect(await first).toBeUndefined()
  let told = false
  void channel.untilEnded().then(() => {
    told = true
  })
  clock.now = 63_000
  channels.sweep()
  await Promise.resolve()
  expect(told).toBe(false)
})

test('a reader is given the log, and not what came live, where the log was read further', async () => {
  const log = [payload(1), payload(2)]
  const { channels } = channelsOf(log)
  const channel = channels.of('a', ABOUT)
  // The first event came live; the second is known from the log alone.
  const early = channel.open(0)
  channels.arrived('a', payload(1))
  expect((await take(early, 2)).flat()).toEqual([1, 2])
  expect((await take(channel.open(0), 2)).flat()).toEqual([1, 2])
})

test('what a request was told while it waited is kept as it was, until a node begins', () => {
  const { channels } = channelsOf()
  const channel = channels.of('a', ABOUT)
  const told: RequestEvent[] = [1, 2].map((n) => ({ n, at: 0, type: 'queued', position: 5 - n }))
  for (const event of told) channels.arrived('a', encoder.encode(JSON.stringify(event)))
  channels.resyncAll()
  expect(channel.prelude).toEqual(told)
  channels.arrived('a', payload(1, 0, 'queued'))
  expect(channel.prelude).toEqual(told)
  channels.arrived('a', encoder.encode(JSON.stringify({ n: 3, at: 0, type: 'started', node: 'x', attempt: 1 })))
  expect(channel.prelude).toEqual([])
})
