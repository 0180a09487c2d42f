import { expect, test } from 'bun:test'
import { Manifest } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import * as v from 'valibot'
import type { Session } from '../engines/engine.ts'
import { Host } from './host.ts'
import type { FromHost, ToHost } from './messages.ts'
import { Steps } from './steps.ts'

const manifest = v.parse(Manifest, {
  name: 'm',
  version: '1',
  engine: 'tensor',
  files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 0 }],
  limits: { timeoutMs: 1000, maxBatch: 1, concurrency: 1 },
})

const run = (work: number, input: unknown): ToHost => ({
  type: 'run',
  work,
  model: 'm/1',
  input,
  parameters: {},
  seed: 1,
  prior: { tokens: [], text: '' },
})

/** A host with one engine, whose sessions do as their input says. */
async function setUp() {
  const sent: FromHost[] = []
  const marks: number[] = []
  let disposed = 0
  const session: Session = {
    async run({ input }, { emit, signal, step }) {
      if (input === 'bug') throw new TypeError('undefined is not a function')
      if (input === 'problem') throw new ProblemError({ kind: 'input-mismatch', detail: 'input: too long.' })
      for (let index = 0; index < 3; index++) {
        emit({ response: `${input} ${index}`, tokens: [index] })
        await step(() => new Promise<void>((resolve) => setImmediate(resolve)))
      }
      signal.throwIfAborted()
    },
    async dispose() {
      disposed++
    },
  }
  const engine = { load: async () => session }
  const host = new Host({
    engines: { tensor: engine, 'text-classification': engine, 'text-generation': engine },
    inspect: async () => ({ inputs: [], outputs: [] }),
    threads: 1,
    steps: new Steps((work) => marks.push(work)),
    send: (message) => sent.push(message),
  })
  await host.receive({ type: 'load', work: 1, model: 'm/1', dir: '/', manifest })
  return { host, sent, marks, disposals: () => disposed }
}

test('a run’s outputs come in order, and its end once and last; its steps are marked as its own', async () => {
  const { host, sent, marks } = await setUp()
  await host.receive(run(2, 'a'))
  expect(sent.slice(1)).toEqual([
    { type: 'output', work: 2, response: 'a 0', tokens: [0] },
    { type: 'output', work: 2, response: 'a 1', tokens: [1] },
    { type: 'output', work: 2, response: 'a 2', tokens: [2] },
    { type: 'done', work: 2 },
  ])
  expect(marks).toEqual([1, 0, 2, 0, 2, 0, 2, 0])
})

test('a run that throws fails alone, and a bug does not show its message', async () => {
  const { host, sent } = await setUp()
  const log = console.error
  console.error = () => {}
  await Promise.all([host.receive(run(2, 'bug')), host.receive(run(3, 'a')), host.receive(run(4, 'problem'))])
  console.error = log
  const ends = sent.filter((message) => message.type === 'failed' || message.type === 'done')
  expect(ends).toContainEqual({
    type: 'failed',
    work: 2,
    problem: { kind: 'inference-failed', detail: 'The engine failed on this input.' },
  })
  expect(ends).toContainEqual({
    type: 'failed',
    work: 4,
    problem: { kind: 'input-mismatch', detail: 'input: too long.' },
  })
  expect(ends).toContainEqual({ type: 'done', work: 3 })
})

test('an aborted run stops before its next step, says nothing more, and is done', async () => {
  const { host, sent, marks } = await setUp()
  const end = host.receive(run(2, 'a'))
  await host.receive({ type: 'abort', work: 2 })
  await end
  expect(sent.slice(1)).toEqual([
    { type: 'output', work: 2, response: 'a 0', tokens: [0] },
    { type: 'done', work: 2 },
  ])
  expect(marks.filter((mark) => mark === 2).length).toBeLessThanOrEqual(1)
})

test('an unloaded model is freed, and a run of it is refused', async () => {
  const { host, sent, disposals } = await setUp()
  await host.receive({ type: 'unload', model: 'm/1' })
  expect(disposals()).toBe(1)
  await host.receive(run(2, 'a'))
  expect(sent.at(-1)).toMatchObject({ type: 'failed', work: 2, problem: { kind: 'model-unavailable' } })
})

test('a ping is answered with the memory in use', async () => {
  const { host, sent } = await setUp()
  await host.receive({ type: 'ping' })
  expect(sent.at(-1)).toEqual({ type: 'pong', rssBytes: expect.any(Number) })
})
