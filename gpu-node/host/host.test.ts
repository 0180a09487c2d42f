import { expect, test } from 'bun:test'
import { Manifest } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import type { NamedTensor } from '@oriel/protocol/tensor'
import * as v from 'valibot'
import type { BatchSession, StreamSession } from '../engines/engine.ts'
import { Host } from './host.ts'
import type { FromHost, ToHost } from './messages.ts'
import { Steps } from './steps.ts'

const manifest = v.parse(Manifest, {
  name: 'm',
  version: '1',
  engine: 'text-generation',
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

const infer = (work: number, ...values: number[]): ToHost => ({
  type: 'infer',
  work,
  model: 'tensors/1',
  inputs: [x(values)],
})
const x = (values: number[]): NamedTensor => ({
  name: 'x',
  datatype: 'FP32',
  shape: [values.length],
  // A part of a larger array, as the rows of a batch are.
  values: Float32Array.from([9, ...values]).subarray(1),
})

/** A host with one engine of each kind, whose sessions do as their input says. */
async function setUp() {
  const sent: FromHost[] = []
  const marks: number[] = []
  let disposed = 0
  let rss = 1_000
  const session: StreamSession = {
    kind: 'stream',
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
  const batches: BatchSession = {
    kind: 'batch',
    async infer([input]) {
      rss += input?.values.length === 1 ? 0 : 100 * (input?.values.length ?? 0)
      if (input?.values[0] === 0) throw new ProblemError({ kind: 'inference-failed', detail: 'Div by zero.' })
      return input ? [{ ...input, name: 'y' }] : []
    },
    async dispose() {},
  }
  const engine = { load: async () => session }
  const host = new Host({
    engines: {
      tensor: { load: async () => batches },
      pipeline: { load: async () => batches },
      'text-classification': engine,
      'text-generation': engine,
    },
    inspect: async () => ({ inputs: [], outputs: [] }),
    threads: 1,
    steps: new Steps((work) => marks.push(work)),
    send: (message) => sent.push(message),
    rssBytes: () => rss,
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

test('a batch is answered in one message, with arrays that are views of nothing larger', async () => {
  const { host, sent, marks } = await setUp()
  await host.receive({
    type: 'load',
    work: 2,
    model: 'tensors/1',
    dir: '/',
    manifest: { ...manifest, engine: 'tensor' },
  })
  await host.receive(infer(3, 1, 2))
  const last = sent.at(-1)
  expect(last).toEqual({ type: 'inferred', work: 3, outputs: [{ ...x([1, 2]), name: 'y' }] })
  const values = last?.type === 'inferred' ? last.outputs[0]?.values : undefined
  expect(ArrayBuffer.isView(values) && values.buffer.byteLength).toBe(8)
  expect(marks.slice(-2)).toEqual([3, 0])
})

test('a batch that throws fails alone; one that was aborted before its turn never runs', async () => {
  const { host, sent, marks } = await setUp()
  await host.receive({
    type: 'load',
    work: 2,
    model: 'tensors/1',
    dir: '/',
    manifest: { ...manifest, engine: 'tensor' },
  })
  const all = [host.receive(infer(3, 0)), host.receive(infer(4, 1)), host.receive(infer(5, 2))]
  await host.receive({ type: 'abort', work: 4 })
  await Promise.all(all)
  expect(sent.slice(2).map(({ type }) => type)).toEqual(['failed', 'done', 'inferred'])
  expect(sent[2]).toMatchObject({ work: 3, problem: { kind: 'inference-failed', detail: 'Div by zero.' } })
  expect(marks.slice(-2)).toEqual([5, 0])
})

test('a model that answers with a stream is not asked for tensors', async () => {
  const { host, sent } = await setUp()
  const log = console.error
  console.error = () => {}
  await host.receive({ ...infer(2, 1), model: 'm/1' } as ToHost)
  console.error = log
  expect(sent.at(-1)).toMatchObject({ type: 'failed', work: 2, problem: { kind: 'inference-failed' } })
})

test('a model is told to take what its host grew by at its load, and again when it ran on more than ever before', async () => {
  const { host, sent } = await setUp()
  const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [2] }]
  await host.receive({
    type: 'load',
    work: 2,
    model: 'tensors/1',
    dir: '/',
    manifest: { ...manifest, engine: 'tensor', inputs, limits: { ...manifest.limits, maxBatch: 0 } },
  })
  // The made-up row failed, and had two values.
  expect(sent.at(-1)).toEqual({ type: 'loaded', work: 2, bytes: 200, tookMs: expect.any(Number) })
  await host.receive(infer(3, 1, 2, 3))
  expect(sent.slice(-2)).toMatchObject([{ type: 'grew', model: 'tensors/1', bytes: 500 }, { type: 'inferred' }])
  await host.receive(infer(4, 1, 2, 3))
  expect(sent.slice(-2)).toMatchObject([{ work: 3 }, { type: 'inferred', work: 4 }])
})

test('a model that cannot run the sample of its manifest is not loaded', async () => {
  const { host, sent } = await setUp()
  const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [1] }]
  const load = (work: number, sample: unknown): ToHost => {
    const limits = { ...manifest.limits, maxBatch: 0 }
    const whole = { ...manifest, engine: 'tensor' as const, inputs, limits, sample }
    return { type: 'load', work, model: `tensors/${work}`, dir: '/', manifest: whole }
  }
  await host.receive(load(2, { x: [0] }))
  expect(sent.at(-1)).toMatchObject({
    type: 'failed',
    problem: { kind: 'model-unavailable', detail: 'The model failed on the sample of its manifest: Div by zero.' },
  })
  await host.receive(load(3, { y: [1] }))
  expect(sent.at(-1)).toMatchObject({ type: 'failed', problem: { kind: 'model-unavailable' } })
  await host.receive(load(4, { x: [1] }))
  expect(sent.at(-1)).toMatchObject({ type: 'loaded' })
})
