import { expect, test } from 'bun:test'
import { Manifest } from '@oriel/protocol/manifest'
import { type Problem, ProblemError } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { checkVersion } from './version-check.ts'

const manifest = v.parse(Manifest, {
  name: 'm',
  version: '1',
  engine: 'tensor',
  files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }],
  limits: { timeoutMs: 1_000, maxBatch: 1, concurrency: 1 },
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [1] }],
})

const problem = (kind: Problem['kind'], cause?: Error) => new ProblemError({ kind, detail: kind }, { cause })
const disk = Object.assign(new Error('no space left'), { code: 'ENOSPC' })

test.each([
  ['a full disk', 'unable', problem('model-unavailable', disk)],
  ['a host that was killed', 'unable', problem('host-crashed')],
  ['a host that was too slow', 'unable', problem('host-hung')],
  ['a graph that the runtime does not take', 'unfit', problem('model-unavailable')],
  ['a file that is another', 'unfit', problem('model-damaged')],
] as const)('of %s the answer is: %s', async (_, kind, error) => {
  const cache = { hold: async () => Promise.reject(error), dirOf: () => '/nowhere' }
  const inspector = { inspect: () => Promise.reject(error), open: () => Promise.reject(error) }
  expect(await checkVersion(manifest, { cache, inspector })).toEqual({ kind, problem: error.problem })
})
