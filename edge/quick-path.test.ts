import { expect, test } from 'bun:test'
import type { ModelOffer, RelayPort } from '@oriel/core-actors/relay-port'
import { ProblemError } from '@oriel/protocol/problem'
import { Allowances } from './allowances.ts'
import type { ModelCache } from './model-cache.ts'
import { predictNow } from './quick-path.ts'

test('a caller who leaves while the limits are asked for is not predicted for', async () => {
  const asked = Promise.withResolvers<void>()
  const granted = Promise.withResolvers<{ ok: true; requests: number; bytes: number }>()
  const predicted: string[] = []
  const relay = {
    predict: async ({ id }: { id: string }) => {
      predicted.push(id)
      throw new Error('asked')
    },
    cancelPrediction: async () => {},
  } as unknown as RelayPort
  const lease = () => {
    asked.resolve()
    return granted.promise
  }
  const platform = { models: {} as ModelCache, allowances: new Allowances(() => ({ lease })), relay: () => relay }
  const manifest = { name: 'iris', version: '1', parameters: {}, limits: { timeoutMs: 1_000 } }
  const leaving = new AbortController()
  const made = predictNow(
    platform,
    { manifest } as unknown as ModelOffer,
    { inputs: [], parameters: {} },
    { caller: { user: 'alice', scopes: new Set() }, signal: leaving.signal, waitUntil: () => {} },
  ).catch((error) => error)
  await asked.promise
  leaving.abort()
  granted.resolve({ ok: true, requests: 8, bytes: 100_000 })
  expect(await made).toBeInstanceOf(ProblemError)
  expect(predicted).toEqual([])
})
