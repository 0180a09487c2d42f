import { expect, test } from 'bun:test'
import type { LiveEntry } from './attachment.ts'
import { Attachments } from './attachments.ts'
import { EntryDecoder } from './log-entry.ts'

const entry = (n: number, size = 0): LiveEntry => ({
  sequence: n,
  previous: n - 1,
  payload: new TextEncoder().encode(JSON.stringify({ n, at: 0, type: 'responses', response: 'x'.repeat(size) })),
})

const logOf = (entries: LiveEntry[]) => async (after: number) => ({
  entries: entries.filter(({ sequence }) => sequence > after),
  more: false,
})

async function take(stream: ReadableStream<Uint8Array>, count: number): Promise<number[][]> {
  const chunks: number[][] = []
  const decoder = new EntryDecoder()
  for await (const chunk of stream) {
    chunks.push(decoder.decode(chunk).map(({ sequence }) => sequence))
    if (chunks.flat().length >= count) break
  }
  return chunks
}

test('what arrives in one turn leaves as one chunk, to every reader of the request and no other', async () => {
  const attachments = new Attachments(() => new TransformStream())
  const open = (id: string) => attachments.open(id, 0, logOf([]), entry(1))
  const [one, two, other] = [open('a'), open('a'), open('b')]
  attachments.arrived('a', entry(2))
  attachments.arrived('a', entry(3))
  expect(await take(one, 3)).toEqual([[1, 2, 3]])
  expect(await take(two, 3)).toEqual([[1, 2, 3]])
  expect(await take(other, 1)).toEqual([[1]])
  expect(attachments.size).toBe(0)
})

test('a reader that does not take is given no more than its buffer, and the rest from the log', async () => {
  const attachments = new Attachments(() => new TransformStream())
  const log = [1, 2, 3, 4, 5, 6].map((n) => entry(n, 30_000))
  const stream = attachments.open('a', 0, logOf(log), log[0])
  for (const item of log.slice(1)) attachments.arrived('a', item)
  expect((await take(stream, 6)).flat()).toEqual([1, 2, 3, 4, 5, 6])
})

test('a stream that was cancelled takes nothing, not even what was on its way', async () => {
  const attachments = new Attachments(() => new TransformStream())
  const stream = attachments.open('a', 0, logOf([]), entry(1))
  attachments.arrived('a', entry(2))
  await stream.cancel()
  await Promise.resolve()
  attachments.arrived('a', entry(3))
  expect(attachments.size).toBe(0)
})

test('a live event that was lost with nothing after it is found by the sweep', async () => {
  const attachments = new Attachments(() => new TransformStream())
  const stream = attachments.open('a', 0, logOf([entry(1), entry(2)]), entry(1))
  attachments.sweep()
  attachments.sweep()
  expect((await take(stream, 2)).flat()).toEqual([1, 2])
})

test('a stream that has been quiet for a minute is let go', async () => {
  const attachments = new Attachments(() => new TransformStream())
  const stream = attachments.open('a', 0, logOf([entry(1)]), entry(1))
  await Promise.resolve()
  for (let sweeps = 0; sweeps < 20; sweeps += 1) attachments.sweep()
  expect((await take(stream, Infinity)).flat()).toEqual([1])
  expect(attachments.size).toBe(0)
})
