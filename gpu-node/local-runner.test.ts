import { expect, test } from 'bun:test'
import { newRequestId } from '@oriel/protocol/ids'
import { Manifest, type ManifestInput } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import type { NamedTensor } from '@oriel/protocol/tensor'
import * as v from 'valibot'
import { BystanderError } from './bystander-error.ts'
import { LocalRunner } from './local-runner.ts'
import type { LocalModel, Output } from './model-runner.ts'

const model = (engine: ManifestInput['engine']): LocalModel => ({
  dir: '/models/m/1',
  manifest: v.parse(Manifest, {
    name: 'm',
    version: '1',
    engine,
    inputs: engine === 'tensor' ? [{ name: 'x', datatype: 'FP32', shape: [] }] : [],
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 0 }],
    limits: { timeoutMs: 1_000, maxBatch: 4, concurrency: 8 },
  } satisfies ManifestInput),
})

/** A runner whose models give back what they got, in company or alone, after what the test has put in the way. */
function setUp() {
  const ways: string[] = []
  const failures: unknown[] = []
  const give = async (way: string, outputs: readonly NamedTensor[]) => {
    ways.push(way)
    const failure = failures.shift()
    if (failure) throw failure
    return outputs
  }
  const runner = new LocalRunner({
    streams: {
      async run(run, emit) {
        ways.push('stream')
        emit({ response: run.input })
      },
    },
    predictor: { predict: (_, inputs, options) => give(options?.patient ? 'company' : 'impatient', inputs) },
    hosts: {
      infer: () => Promise.reject(new Error('past the batcher')),
      inferAlone: (_, { inputs }) => give('alone', inputs),
    },
  })
  const run = async (of: LocalModel, input: unknown, id = newRequestId(0)) => {
    const outputs: Output[] = []
    const job = { id, model: of, input, parameters: {}, seed: 1, prior: { tokens: [], text: '' } }
    await runner.run(job, (output) => outputs.push(output), new AbortController().signal)
    return outputs
  }
  return { run, ways, failures }
}

test('a job for tensors goes through the batcher as one row, and comes back as its item', async () => {
  const { run, ways } = setUp()
  expect(await run(model('tensor'), { x: 1.5 })).toEqual([{ response: { x: 1.5 } }])
  expect(ways).toEqual(['company'])
})

test('a job for a stream is run as one', async () => {
  const { run, ways } = setUp()
  expect(await run(model('text-generation'), 'Once')).toEqual([{ response: 'Once' }])
  expect(ways).toEqual(['stream'])
})

test('an input that the model does not take never reaches it', async () => {
  const { run, ways } = setUp()
  await expect(run(model('tensor'), { x: 'one' })).rejects.toThrow('input-mismatch')
  expect(ways).toEqual([])
})

test('a job that has cost a host runs alone until it has come to its end', async () => {
  const { run, ways, failures } = setUp()
  const id = newRequestId(0)
  failures.push(new ProblemError({ kind: 'host-crashed', detail: '' }))
  await expect(run(model('tensor'), { x: 1 }, id)).rejects.toThrow('host-crashed')
  await run(model('tensor'), { x: 1 }, id)
  await run(model('tensor'), { x: 1 }, id)
  await run(model('tensor'), { x: 2 })
  expect(ways).toEqual(['company', 'alone', 'company', 'company'])
})

test('a job that was twice there when nobody knows who did it runs alone, one that was only unlucky does not', async () => {
  const { run, ways, failures } = setUp()
  for (const suspect of [false, true]) {
    const id = newRequestId(0)
    for (let time = 0; time < 2; time++) {
      failures.push(new BystanderError({ kind: 'host-crashed', detail: '' }, suspect))
      await expect(run(model('tensor'), { x: 1 }, id)).rejects.toThrow('host-crashed')
    }
    await run(model('tensor'), { x: 1 }, id)
  }
  expect(ways).toEqual(['company', 'company', 'company', 'company', 'company', 'alone'])
})
