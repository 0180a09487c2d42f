import { expect, test } from 'bun:test'
import { Manifest } from '@oriel/protocol/manifest'
import * as v from 'valibot'
import type { Models } from '../node.ts'
import { withRegistered } from './with-registered.ts'

const manifest = v.parse(Manifest, {
  name: 'iris',
  version: '1',
  engine: 'tensor',
  files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }],
  limits: { timeoutMs: 1_000, maxBatch: 8, concurrency: 8 },
})

test('those who ask for a registered version are given the same one, and so may share a batch', () => {
  const local: Pick<Models, 'find'> = { find: () => ({ kind: 'model-not-found', detail: '' }) }
  const versions = { find: () => manifest, all: () => [manifest].values() }
  const pool = { stateOf: () => ({ state: 'available' as const }) }
  const models = withRegistered(local as Models, { versions, cache: { dirOf: () => '/cache/iris/1' } }, pool)
  const first = models.find('iris', '1')
  expect(first).toEqual({ manifest, dir: '/cache/iris/1' })
  expect(models.find('iris', '1')).toBe(first)
})
