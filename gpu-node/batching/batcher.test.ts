import { expect, test } from 'bun:test'
import { ProblemError, type ProblemKind } from '@oriel/protocol/problem'
import type { NamedTensor } from '@oriel/protocol/tensor'
import fc from 'fast-check'
import { BystanderError } from '../bystander-error.ts'
import type { Batch } from '../model-hosts.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { Batcher, type BatcherOptions } from './batcher.ts'

const MAX_BATCH = 8
/** What a row's first value does to the run that it is in. */
const BAD = -1
const KILLER = -2

const tensor = (rows: readonly (readonly number[])[]): NamedTensor => ({
  name: 'x',
  datatype: 'FP32',
  shape: [rows.length, rows[0]?.length ?? 0],
  values: Float32Array.from(rows.flat()),
})
const rowsOf = ({ shape, values }: NamedTensor): number[][] => {
  const [rows = 0, width = 0] = shape
  return Array.from({ length: rows }, (_, row) => Array.from(values.slice(row * width, (row + 1) * width), Number))
}
const problemOf = (error: unknown): string =>
  error instanceof ProblemError ? error.problem.kind : error instanceof DOMException ? error.name : String(error)

/** A batcher over hosts that take 10 ms and 1 ms a row, and add 0.5 to every value. */
function setUp(options: Partial<BatcherOptions> = {}) {
  const clock = new ManualClock()
  const batches: { rows: number[][]; atOnce: number }[] = []
  const dropped: number[] = []
  let atOnce = 0
  const infer = async ({ inputs }: Batch, signal: AbortSignal): Promise<NamedTensor[]> => {
    const rows = inputs.flatMap(rowsOf)
    batches.push({ rows, atOnce: ++atOnce })
    signal.addEventListener('abort', () => dropped.push(rows.length))
    await new Promise<void>((resolve) => clock.setTimer(10 + rows.length, resolve))
    atOnce--
    const fail = (kind: ProblemKind) => new ProblemError({ kind, detail: '' })
    if (rows.some(([first]) => first === KILLER)) throw fail('host-crashed')
    if (rows.some(([first]) => first === BAD)) throw fail('inference-failed')
    return [tensor(rows.map((row) => row.map((value) => value + 0.5)))]
  }
  const batcher = new Batcher({
    infer,
    maxBatch: MAX_BATCH,
    maxRunning: 1,
    maxWaiting: 1_000,
    maxWaitingBytes: 1_000_000,
    maxDelayMs: 10,
    clock,
    ...options,
  })
  const ask = (rows: readonly (readonly number[])[], signal?: AbortSignal, patient?: boolean) =>
    batcher
      .predict(
        {
          inputs: [tensor(rows)],
          outputs: undefined,
          rows: rows.length,
          bytes: 10 * rows.length,
          group: String(rows[0]?.length),
        },
        signal,
        patient,
      )
      .then(([output]) => (output ? rowsOf(output) : []), problemOf)
  return { clock, batches, dropped, ask }
}

const request = fc.record({
  atMs: fc.nat(60),
  rows: fc.integer({ min: 1, max: 3 }),
  width: fc.integer({ min: 1, max: 2 }),
  what: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.constant(BAD), fc.constant(KILLER)),
  cancelAfterMs: fc.option(fc.nat(40), { freq: 4 }),
})

test('whatever comes together, everybody gets the answer to their own rows, and a bad row fails alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 40 }), async (requests) => {
      const { clock, batches, ask } = setUp()
      const asked = requests.map(({ atMs, rows, width, what, cancelAfterMs }, index) => {
        // Every value is the request's own.
        const values = Array.from({ length: rows }, (_, row) => {
          return Array.from({ length: width }, (_, at) => (what && row === 0 && at === 0 ? what : index * 10 + row + 1))
        })
        const abort = new AbortController()
        const answer = Promise.withResolvers<number[][] | string>()
        clock.setTimer(atMs, () => void ask(values, abort.signal).then(answer.resolve))
        if (cancelAfterMs !== null) clock.setTimer(atMs + cancelAfterMs, () => abort.abort())
        return { values, what, abort, answer: answer.promise }
      })
      await clock.advance(60_000)
      for (const { values, what, abort, answer } of asked) {
        const found = await answer
        if (found === 'AbortError') expect(abort.signal.aborted).toBe(true)
        else if (what === BAD) expect(found).toBe('inference-failed')
        else if (what === KILLER) expect(found).toBe('host-crashed')
        else expect(found).toEqual(values.map((row) => row.map((value) => value + 0.5)))
      }
      for (const { rows, atOnce } of batches) {
        expect(atOnce).toBe(1)
        expect(rows.length).toBeLessThanOrEqual(MAX_BATCH)
        expect(new Set(rows.map((row) => row.length)).size).toBe(1)
      }
      expect(clock.timers).toBe(0)
    }),
    { numRuns: 200 },
  )
})

test('a model that nothing runs on does not keep a request waiting', async () => {
  const { clock, batches, ask } = setUp()
  for (let time = 0; time < 5; time++) {
    const answer = ask([[1]])
    expect(batches).toHaveLength(time + 1)
    await clock.advance(11)
    expect(await answer).toEqual([[1.5]])
    expect(clock.timers).toBe(0)
  }
})

test('what comes while a batch runs goes together in the next', async () => {
  const { clock, batches, ask } = setUp()
  const answers = [ask([[1]]), ask([[2]]), ask([[3]]), ask([[4], [5]])]
  await clock.advance(1_000)
  expect(batches.map(({ rows }) => rows.length)).toEqual([1, 4])
  expect(await Promise.all(answers)).toEqual([[[1.5]], [[2.5]], [[3.5]], [[4.5], [5.5]]])
})

test('a full batch goes, and what is too much for it is first in the next', async () => {
  const { clock, batches, ask } = setUp()
  const answers = Array.from({ length: 20 }, (_, index) => ask([[index]]))
  await clock.advance(1_000)
  expect(batches.map(({ rows }) => rows.length)).toEqual([1, 8, 8, 3])
  expect((await Promise.all(answers)).flat(2)).toEqual(Array.from({ length: 20 }, (_, index) => index + 0.5))
})

test('a rare shape takes turns with a common one', async () => {
  const { clock, batches, ask } = setUp()
  void ask([[0]])
  for (let index = 0; index < 24; index++) void ask([[index]])
  void ask([[7, 7]])
  await clock.advance(1_000)
  expect(batches[2]?.rows).toEqual([[7, 7]])
})

test('a cancelled request is dropped before it runs; one whose batch all have left is given up in its host', async () => {
  const { clock, batches, dropped, ask } = setUp()
  const [running, waiting] = [new AbortController(), new AbortController()]
  const first = ask([[1]], running.signal)
  const second = ask([[2]], waiting.signal)
  const third = ask([[3]])
  waiting.abort()
  expect(await second).toBe('AbortError')
  running.abort()
  expect(await first).toBe('AbortError')
  expect(dropped).toEqual([1])
  await clock.advance(1_000)
  expect(await third).toEqual([[3.5]])
  expect(batches.map(({ rows }) => rows)).toEqual([[[1]], [[3]]])
})

test('one that was cancelled before it came is not even asked', async () => {
  const { batches, ask } = setUp()
  expect(await ask([[1]], AbortSignal.abort())).toBe('AbortError')
  expect(batches).toEqual([])
})

test('of many rows that go together, one bad one costs few runs more', async () => {
  const { clock, batches, ask } = setUp()
  const answers = [ask([[0]]), ...[1, 2, 3, BAD, 5, 6, 7, 8].map((value) => ask([[value]]))]
  await clock.advance(1_000)
  expect(batches.map(({ rows }) => rows.length)).toEqual([1, 8, 4, 2, 2, 1, 1, 4])
  expect((await Promise.all(answers)).filter((answer) => answer === 'inference-failed')).toHaveLength(1)
})

test('members of a batch that cost its host run one by one', async () => {
  const { clock, batches, ask } = setUp()
  const answers = [ask([[0]]), ...[1, KILLER, 3].map((value) => ask([[value]]))]
  await clock.advance(1_000)
  expect(batches.map(({ rows }) => rows.length)).toEqual([1, 3, 1, 1, 1])
  expect(await Promise.all(answers)).toEqual([[[0.5]], [[1.5]], 'host-crashed', [[3.5]]])
})

test('who is lost with a host over other work runs again, but not for ever', async () => {
  let calls = 0
  const infer = async ({ inputs }: Batch): Promise<readonly NamedTensor[]> => {
    if (++calls <= 5) throw new BystanderError({ kind: 'host-crashed', detail: '' }, calls <= 3)
    return inputs
  }
  const { ask } = setUp({ infer })
  expect(await ask([[1]])).toBe('host-crashed')
  expect(calls).toBe(3)
  expect(await ask([[2]])).toEqual([[2]])
  expect(calls).toBe(6)
})

test('more than may wait are refused, but not a job', async () => {
  const { clock, ask } = setUp({ maxWaiting: 3 })
  const answers = Array.from({ length: 6 }, (_, index) => ask([[index]]))
  const job = ask([[6]], undefined, true)
  await clock.advance(1_000)
  expect((await Promise.all(answers)).map(String)).toEqual(['0.5', '1.5', '2.5', '3.5', 'queue-full', 'queue-full'])
  expect(await job).toEqual([[6.5]])
})

test('large requests are refused before many of them wait', async () => {
  const { clock, ask } = setUp({ maxWaitingBytes: 25 })
  const answers = Array.from({ length: 4 }, (_, index) => ask([[index]]))
  await clock.advance(1_000)
  expect((await Promise.all(answers)).map(String)).toEqual(['0.5', '1.5', '2.5', 'queue-full'])
})

test('a model that does not batch runs as many at a time as it may', async () => {
  const { clock, batches, ask } = setUp({ maxBatch: 0, maxRunning: 3 })
  const answers = Array.from({ length: 7 }, (_, index) => ask([[index]]))
  await clock.advance(1_000)
  expect(batches.map(({ rows }) => rows.length)).toEqual(Array(7).fill(1))
  expect(Math.max(...batches.map(({ atOnce }) => atOnce))).toBe(3)
  expect(await Promise.all(answers)).toHaveLength(7)
})

test('callers who ask again as soon as they are answered come to share every run', async () => {
  const { clock, batches, ask } = setUp()
  const caller = async () => {
    for (let time = 0; time < 60; time++) {
      await ask([[1]])
      await new Promise<void>((resolve) => clock.setTimer(1, resolve))
    }
  }
  const callers = Promise.all(Array.from({ length: 6 }, caller))
  await clock.advance(10_000)
  await callers
  const late = batches.slice(20, -10).map(({ rows }) => rows.length)
  expect(late.filter((rows) => rows === 6).length).toBeGreaterThan(late.length * 0.9)
})
