import { afterAll, afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProblemError } from '@oriel/protocol/problem'
import type { NamedTensor } from '@oriel/protocol/tensor'
import { fineClock, systemClock } from '../clock.ts'
import { onnxBytes } from '../engines/testing/onnx-bytes.ts'
import { writeModel } from '../engines/testing/test-model.ts'
import { bunHosts } from '../host/bun-host-process.ts'
import type { StartHost } from '../host/host-process.ts'
import { fakeHosts } from '../host/testing/fake-hosts.ts'
import { HostPool } from '../host-pool.ts'
import { ManualClock, settled } from '../testing/manual-clock.ts'
import type { BatchDone } from './batcher.ts'
import { BatchingPredictor } from './batching-predictor.ts'

const root = mkdtempSync(join(tmpdir(), 'oriel-batching-'))
const pools: HostPool[] = []
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())))
afterAll(() => rmSync(root, { recursive: true }))

/** Looks each index up in a table of four; an index beyond it is more than the runtime can bear. */
const lookup = (maxBatch = 32) =>
  writeModel(
    root,
    {
      name: `lookup-${maxBatch}`,
      engine: 'tensor',
      inputs: [{ name: 'index', datatype: 'INT64', shape: [-1] }],
      outputs: [{ name: 'found', datatype: 'FP32', shape: [-1] }],
      limits: { timeoutMs: 10_000, maxBatch, concurrency: 8 },
    },
    {
      'model.onnx': onnxBytes({
        inputs: [{ name: 'index', type: 'int64', shape: ['n', 'm'] }],
        outputs: [{ name: 'found', type: 'float32', shape: ['n', 'm'] }],
        weights: [{ name: 'table', dims: [4], values: Float32Array.of(0.5, 1.5, 2.5, 3.5) }],
        nodes: [{ op: 'Gather', inputs: ['table', 'index'], outputs: ['found'] }],
      }),
    },
  )

function setUp(start: StartHost = bunHosts({ threads: 1 }), clock = systemClock) {
  const pool = new HostPool({ hosts: 1, start, clock })
  pools.push(pool)
  const batches: BatchDone[] = []
  const predictor = new BatchingPredictor({ hosts: pool, clock: fineClock, onBatch: (_, done) => batches.push(done) })
  const model = lookup()
  const ask = (...indices: number[]) =>
    predictor.predict(model, [index(indices)]).then(
      ([found]) => Array.from((found?.values ?? []) as ArrayLike<number>),
      (error) => (error instanceof ProblemError ? error.problem.kind : String(error)),
    )
  return { predictor, batches, ask, model }
}
const index = (indices: readonly number[]): NamedTensor => ({
  name: 'index',
  datatype: 'INT64',
  shape: [1, indices.length],
  values: BigInt64Array.from(indices, BigInt),
})

test('requests of several shapes and a bad one come back with their own answers', async () => {
  const { ask, batches } = setUp()
  await ask(0)
  const asked = Array.from({ length: 60 }, (_, at) => (at % 3 ? [at % 4] : [at % 4, (at + 1) % 4]))
  const [bad, ...answers] = await Promise.all([ask(9), ...asked.map((indices) => ask(...indices))])
  expect(bad).toBe('inference-failed')
  expect(answers).toEqual(asked.map((indices) => indices.map((at) => at + 0.5)))
  expect(Math.max(...batches.map(({ rows }) => rows))).toBeGreaterThan(10)
})

test('an unknown output, of a model that declares none, is told by the graph', async () => {
  const { predictor } = setUp()
  const undeclared = writeModel(
    root,
    {
      name: 'undeclared',
      engine: 'tensor',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1] }],
      limits: { timeoutMs: 10_000, maxBatch: 4, concurrency: 1 },
    },
    {
      'model.onnx': onnxBytes({
        inputs: [{ name: 'x', type: 'float32', shape: ['n', 1] }],
        outputs: [
          { name: 'y', type: 'float32', shape: ['n', 1] },
          { name: 'z', type: 'float32', shape: ['n', 1] },
        ],
        nodes: [
          { op: 'Neg', inputs: ['x'], outputs: ['y'] },
          { op: 'Identity', inputs: ['x'], outputs: ['z'] },
        ],
      }),
    },
  )
  const x: NamedTensor = { name: 'x', datatype: 'FP32', shape: [1, 1], values: Float32Array.of(2) }
  const names = async (outputs?: string[]) =>
    (await predictor.predict(undeclared, [x], outputs ? { outputs } : {})).map(({ name }) => name)
  expect(await names()).toEqual(['y', 'z'])
  expect(await names(['z'])).toEqual(['z'])
  await expect(names(['q'])).rejects.toThrow('there is no "q"; the model gives "y", "z"')
})

test('a pipeline is batched as a whole, and a row that one of its stages cannot bear fails alone', async () => {
  const { predictor, batches } = setUp()
  const pipeline = writeModel(
    root,
    {
      name: 'pipeline',
      engine: 'pipeline',
      inputs: [{ name: 'word', datatype: 'BYTES', shape: [] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [] }],
      stages: [
        { stage: 'cast', input: 'word', output: 'number', datatype: 'FP32' },
        { stage: 'infer', graph: 'model.onnx', inputs: { x: 'number' }, outputs: { y: 'y' } },
      ],
      limits: { timeoutMs: 10_000, maxBatch: 16, concurrency: 1 },
    },
    {
      'model.onnx': onnxBytes({
        inputs: [{ name: 'x', type: 'float32', shape: ['n'] }],
        outputs: [{ name: 'y', type: 'float32', shape: ['n'] }],
        nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }],
      }),
    },
  )
  const ask = (word: string) =>
    predictor.predict(pipeline, [{ name: 'word', datatype: 'BYTES', shape: [1], values: [word] }]).then(
      ([y]) => y?.values[0],
      (error) => (error instanceof ProblemError ? error.problem.kind : String(error)),
    )
  expect(await ask('1')).toBe(-1)
  const words = ['2', '3', 'many', '5', '6']
  expect(await Promise.all(words.map(ask))).toEqual([-2, -3, 'input-mismatch', -5, -6])
  expect(batches.some(({ rows }) => rows === 4)).toBe(true)
})

test('of a batch that kills its host again and again only the one that does it fails', async () => {
  const { processes, start } = fakeHosts()
  const clock = new ManualClock()
  const { ask } = setUp(start, clock)
  const KILLER = 7n
  const answers = [ask(0), ask(1), ask(Number(KILLER)), ask(2)]
  let deaths = 0
  const seen = new Set<number>()
  while (seen.size < 6) {
    await settled()
    await clock.advance(200)
    const host = processes.at(-1)
    for (const { work } of host?.all('load') ?? []) host?.say({ type: 'loaded', work, bytes: 1, tookMs: 1 })
    const next = host?.all('infer').find(({ work }) => !seen.has(work))
    if (!host || !next) continue
    seen.add(next.work)
    const [input] = next.inputs
    if (input && Array.from(input.values as BigInt64Array).includes(KILLER)) {
      host.current = next.work
      deaths++
      host.die('signal SIGSEGV')
    } else {
      const values = Float32Array.from(input?.values as BigInt64Array, (at) => Number(at) + 0.5)
      const found = { name: 'found', datatype: 'FP32' as const, shape: input?.shape ?? [], values }
      host.say({ type: 'inferred', work: next.work, outputs: [found] })
    }
    if (deaths === 2 && seen.size === 5) break
  }
  expect(await Promise.all(answers)).toEqual([[0.5], [1.5], 'host-crashed', [2.5]])
  expect(deaths).toBe(2)
})
