import { expect, test } from 'bun:test'
import { newRequestId } from '@oriel/protocol/ids'
import { Manifest } from '@oriel/protocol/manifest'
import { toProblem } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { BoundedRunner } from './bounded-runner.ts'
import type { LocalModel, ModelRunner, Run } from './model-runner.ts'
import { settled } from './testing/manual-clock.ts'

const modelOf = (name: string): LocalModel => ({
  dir: `/models/${name}/1`,
  manifest: v.parse(Manifest, {
    name,
    version: '1',
    engine: 'text-generation',
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 0 }],
    limits: { timeoutMs: 1000, maxBatch: 1, concurrency: 2 },
  }),
})

/** Two at a time, and two that wait; every run ends when the test says so. */
function setUp() {
  const begun: { input: unknown; end: () => void; fail: () => void }[] = []
  const inner: ModelRunner = {
    run: ({ input }) =>
      new Promise((resolve, reject) => begun.push({ input, end: resolve, fail: () => reject(new Error('lost')) })),
  }
  const runner = new BoundedRunner(inner, 2)
  const one = modelOf('one')
  const begin = (input: string, model = one, abort = new AbortController()) => {
    const prior = { tokens: [], text: '' }
    const run: Run = { id: newRequestId(0), model, input, parameters: {}, seed: 1, prior }
    const end = runner
      .run(run, () => {}, abort.signal)
      .then(
        () => 'done',
        (error: unknown) => (error instanceof DOMException ? error.name : toProblem(error).kind),
      )
    return { end, abort }
  }
  return { begin, begun, inputs: () => begun.map(({ input }) => input) }
}

test('as many run as the manifest says; the others follow in their order', async () => {
  const { begin, begun, inputs } = setUp()
  for (const input of ['a', 'b', 'c', 'd']) begin(input)
  begin('other', modelOf('two'))
  await settled()
  expect(inputs()).toEqual(['a', 'b', 'other'])
  begun[1]?.fail()
  await settled()
  expect(inputs()).toEqual(['a', 'b', 'other', 'c'])
  begun[0]?.end()
  await settled()
  expect(inputs()).toEqual(['a', 'b', 'other', 'c', 'd'])
})

test('whoever would be one too many to wait is refused', async () => {
  const { begin } = setUp()
  for (const input of ['a', 'b', 'c', 'd']) begin(input)
  await settled()
  expect(await begin('e').end).toBe('queue-full')
})

test('whoever leaves while they wait never runs, and nobody loses a turn by it', async () => {
  const { begin, begun, inputs } = setUp()
  begin('a')
  begin('b')
  const leaving = begin('c')
  begin('d')
  await settled()
  leaving.abort.abort()
  expect(await leaving.end).toBe('AbortError')
  for (const run of begun) run.end()
  await settled()
  expect(inputs()).toEqual(['a', 'b', 'd'])
  for (const run of begun) run.end()
  begin('e')
  begin('f')
  begin('g')
  await settled()
  expect(inputs()).toEqual(['a', 'b', 'd', 'e', 'f'])
})
