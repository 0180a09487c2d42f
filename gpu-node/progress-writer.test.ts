import { expect, test } from 'bun:test'
import { newRequestId } from '@oriel/protocol/ids'
import fc from 'fast-check'
import { LogAuthor } from './log-author.ts'
import { MAX_RESPONSE_BYTES, ProgressWriter } from './progress-writer.ts'
import { GatedLog } from './testing/gated-log.ts'
import { ManualClock, settled } from './testing/manual-clock.ts'

const id = newRequestId(0)
const { signal } = new AbortController()

async function setup() {
  const log = new GatedLog()
  const clock = new ManualClock()
  const author = await LogAuthor.read({ log, shard: 0, id, clock, signal })
  await author.append({ type: 'started', node: 'a', attempt: 1 })
  const stops: unknown[] = []
  const onStop = (why: unknown) => void stops.push(why)
  const writer = new ProgressWriter({ author, clock, coalesceMs: 5, progressMs: 4_000, onStop })
  const events = async () => (await log.read(0, id)).events.slice(1)
  const said = async () => (await events()).flatMap((event) => (event.type === 'responses' ? [event.response] : []))
  return { log, clock, author, writer, stops, events, said }
}

test('the first response goes out at once', async () => {
  const { writer, said } = await setup()
  writer.emit({ response: 'Once' })
  await settled()
  expect(await said()).toEqual(['Once'])
})

test('what comes within a few milliseconds of the last event is one event', async () => {
  const { writer, clock, events } = await setup()
  writer.emit({ response: 'Once', tokens: [1] })
  await clock.advance(1)
  writer.emit({ response: ' upon', tokens: [2] })
  await clock.advance(1)
  writer.emit({ response: ' a', tokens: [3, 4] })
  await clock.advance(3)
  expect(await events()).toMatchObject([
    { n: 2, response: 'Once', tokens: [1] },
    { n: 3, response: ' upon a', tokens: [2, 3, 4] },
  ])
})

test('a slow stream waits for nothing', async () => {
  const { writer, clock, said } = await setup()
  for (const word of ['a', 'b', 'c']) {
    writer.emit({ response: word })
    await clock.advance(5)
  }
  expect(await said()).toEqual(['a', 'b', 'c'])
})

test('one publish at a time: what comes while it is under way is one event after it', async () => {
  const { log, writer, clock, said } = await setup()
  log.shut()
  writer.emit({ response: 'a' })
  for (const word of ['b', 'c', 'd']) {
    await clock.advance(50)
    writer.emit({ response: word })
  }
  log.open()
  await settled()
  await clock.advance(5)
  expect(await said()).toEqual(['a', 'bcd'])
})

test('answers that are not texts are never joined', async () => {
  const { writer, said } = await setup()
  for (const response of ['a', 'b', { label: 'x' }, { label: 'y' }, 'c', 'd']) writer.emit({ response })
  expect(await writer.end({ type: 'completed' })).toBeUndefined()
  expect(await said()).toEqual(['a', 'b', { label: 'x' }, { label: 'y' }, 'cd'])
})

test('tokens whose text is held back wait for it', async () => {
  const { writer, clock, events } = await setup()
  writer.emit({ response: '', tokens: [1] })
  await clock.advance(100)
  expect(await events()).toEqual([])
  writer.emit({ response: 'é', tokens: [2] })
  await settled()
  expect(await events()).toMatchObject([{ response: 'é', tokens: [1, 2] }])
})

test('a model that yields nothing still gives a sign of life every few seconds', async () => {
  const { writer, clock, events } = await setup()
  await clock.advance(12_500)
  const progress = (await events()).map((event) => event.type === 'progress' && event.elapsedMs)
  expect(progress).toEqual([4_000, 8_000, 12_000])
  await writer.end({ type: 'completed' })
  expect(clock.timers).toBe(0)
})

test('signs of life do not pile up behind a broker that is away', async () => {
  const { log, writer, clock, events } = await setup()
  log.shut()
  writer.emit({ response: 'a' })
  await clock.advance(60_000)
  log.open()
  await settled()
  expect((await events()).map(({ type }) => type)).toEqual(['responses', 'progress'])
})

test('the last event comes after all that was said, and nothing after it', async () => {
  const { writer, clock, events } = await setup()
  writer.emit({ response: 'a' })
  writer.emit({ response: 'b' })
  await writer.end({ type: 'completed' })
  writer.emit({ response: 'late' })
  await clock.advance(10_000)
  expect((await events()).map(({ type }) => type)).toEqual(['responses', 'responses', 'completed'])
})

test('fenced, it stops the run and writes no more', async () => {
  const { log, writer, clock, stops, events } = await setup()
  const { sequence } = await log.read(0, id)
  await log.append(0, id, { n: 2, at: 1, type: 'started', node: 'b', attempt: 2 }, sequence)
  writer.emit({ response: 'zombie' })
  await clock.advance(10_000)
  writer.emit({ response: 'zombie' })
  const lost = { reason: 'superseded', node: 'b', attempt: 2 }
  expect(stops).toEqual([lost])
  expect(await writer.end({ type: 'completed' })).toMatchObject(lost)
  expect((await events()).map(({ type }) => type)).toEqual(['started'])
  expect(clock.timers).toBe(0)
})

test('an answer that no message can hold stops the run, and can still be told', async () => {
  const { writer, stops, events } = await setup()
  writer.emit({ response: 'x'.repeat(MAX_RESPONSE_BYTES) })
  expect(stops).toMatchObject([{ problem: { kind: 'too-large' } }])
  await writer.end({ type: 'failed', problem: { kind: 'too-large', detail: '' }, retriable: false })
  expect((await events()).map(({ type }) => type)).toEqual(['failed'])
})

test('whatever is said and whenever, the log holds all of it, in order, once', async () => {
  const output = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ response: fc.string({ maxLength: 4 }), tokens: fc.array(fc.nat(9), { maxLength: 3 }) }),
    },
    { weight: 1, arbitrary: fc.record({ response: fc.record({ label: fc.string({ maxLength: 2 }) }) }) },
  )
  const steps = fc.array(fc.record({ output, waitMs: fc.nat(9), shut: fc.boolean() }), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const { log, writer, clock, events } = await setup()
      for (const { output, waitMs, shut } of script) {
        if (shut) log.shut()
        else log.open()
        writer.emit(output)
        await clock.advance(waitMs)
      }
      log.open()
      expect(await writer.end({ type: 'completed' })).toBeUndefined()
      const wanted = flat(script.map(({ output }) => output))
      const written = (await events()).flatMap((event) => (event.type === 'responses' ? [event] : []))
      expect(flat(written).text).toEqual(wanted.text)
      // Tokens whose text never came are made again by whoever goes on.
      expect(wanted.tokens.slice(0, flat(written).tokens.length)).toEqual(flat(written).tokens)
      expect(clock.timers).toBe(0)
    }),
    { numRuns: 50 },
  )
})

/** Texts that stand side by side as one, and all tokens in order. */
function flat(outputs: readonly { response: unknown; tokens?: readonly number[] | undefined }[]) {
  const text: unknown[] = []
  for (const { response } of outputs) {
    if (typeof response === 'string' && typeof text.at(-1) === 'string') text.push(`${text.pop()}${response}`)
    else if (response !== '') text.push(response)
  }
  return { text: text.filter((part) => part !== ''), tokens: outputs.flatMap(({ tokens }) => tokens ?? []) }
}
