import { expect, test } from 'bun:test'
import { Feed } from './feed.ts'
import { liveReader } from './live-reader.ts'
import type { Entry, SizedEntry } from './log-entry.ts'

const entry = (n: number, bytes = 10): SizedEntry => ({
  bytes,
  sequence: n,
  event: { n, at: 0, type: 'responses', response: `w${n}`, tokens: [n] },
})
const end = (n: number): SizedEntry => ({ bytes: 10, sequence: n, event: { n, at: 0, type: 'completed' } })

function readerOf(feed: Feed, after = 0, log: Entry[] = [], heartbeatMs = 60_000) {
  const closed: boolean[] = []
  const stream = liveReader({
    feed,
    after,
    heartbeatMs,
    pipe: () => new TransformStream<Uint8Array, Uint8Array>(),
    read: async (sequence) => log.filter((item) => item.sequence > sequence).slice(0, 2),
    onClose: (left) => closed.push(left),
  })
  return { stream, closed }
}

const ids = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))

test('a stream has what was there, what comes, and ends with the terminal event', async () => {
  const feed = new Feed()
  feed.push([entry(1)])
  const { stream, closed } = readerOf(feed)
  const text = new Response(stream).text()
  await Promise.resolve()
  feed.push([entry(2)])
  feed.push([end(3)])
  expect(ids(await text)).toEqual([1, 2, 3])
  expect(await text).toStartWith('retry: 500\n\n')
  expect(closed).toEqual([false])
})

test('tokens stay inside', async () => {
  const feed = new Feed()
  feed.push([entry(1)])
  feed.push([end(2)])
  expect(await new Response(readerOf(feed).stream).text()).not.toContain('tokens')
})

test('a reader that was left behind reads pages of the log until it has caught up', async () => {
  const feed = new Feed()
  const log = [1, 2, 3, 4, 5].map((n) => entry(n, 200 * 1024))
  feed.push(log)
  feed.push([end(6)])
  const { stream } = readerOf(feed, 1, [...log, end(6)])
  expect(ids(await new Response(stream).text())).toEqual([2, 3, 4, 5, 6])
})

test('silence is filled with heartbeats', async () => {
  const feed = new Feed()
  const reader = readerOf(feed, 0, [], 1).stream.getReader()
  await reader.read()
  const { value } = await reader.read()
  expect(new TextDecoder().decode(value)).toBe(': heartbeat\n\n')
  await reader.cancel()
})

test('a client that goes is noticed, and its wait ends', async () => {
  const { stream, closed } = readerOf(new Feed())
  const reader = stream.getReader()
  await reader.read()
  const waiting = reader.read()
  await reader.cancel()
  expect((await waiting).done).toBe(true)
  expect(closed).toEqual([true])
})

test('a feed that is closed ends its streams without a terminal event, so that clients come back', async () => {
  const feed = new Feed()
  feed.push([entry(1)])
  const { stream, closed } = readerOf(feed)
  const text = new Response(stream).text()
  await Promise.resolve()
  feed.close()
  expect(ids(await text)).toEqual([1])
  expect(closed).toEqual([false])
})
