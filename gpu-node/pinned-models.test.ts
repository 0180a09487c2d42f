import { expect, test } from 'bun:test'
import { Manifest } from '@oriel/protocol/manifest'
import * as v from 'valibot'
import { isPinned, PinnedModels } from './pinned-models.ts'

const model = (name: string, version: string) => ({
  manifest: v.parse(Manifest, {
    name,
    version,
    engine: 'tensor',
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }],
    limits: { timeoutMs: 1_000, maxBatch: 1, concurrency: 1 },
  }),
})

test('a name pins every version, a name with a version that one', () => {
  const pinned = v.parse(PinnedModels, 'iris, storyteller@2')
  const all = [model('iris', '1'), model('iris', '7'), model('storyteller', '1'), model('storyteller', '2')]
  expect(all.map((one) => isPinned(pinned, one))).toEqual([true, true, false, true])
})

test('what is no model’s name is refused', () => {
  for (const text of ['', 'iris@', 'iris@latest', 'a b', 'iris@1@2', 'iris,'])
    expect(v.is(PinnedModels, text)).toBe(false)
})
