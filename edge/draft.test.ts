import { expect, test } from 'bun:test'
import { sentAtOf } from '@oriel/protocol/ids'
import { draftOf } from './draft.ts'
import { irisOffer } from './testing.ts'

const NOW = 1_700_000_000_000
const draft = (request: object, modelID = 'iris') =>
  draftOf('alice', { modelID, request: { input: { features: [1, 2, 3, 4] }, ...request } }, irisOffer, NOW)

test('a draft has the defaults of its model, and is named by its id unless the client names it', async () => {
  const own = await draft({})
  expect(own).toMatchObject({ version: '1', parameters: { top: 3 }, timeoutMs: 5_000, onDisconnect: 'detach' })
  expect(own.requestID).toBe(own.id)
  expect(sentAtOf(own.id)).toBe(NOW)
  expect((await draft({ requestID: 'mine', timeoutMs: 7 })).requestID).toBe('mine')
})

test('the same body has the same hash, however it is spelled; another body has another', async () => {
  const { bodyHash } = await draft({ parameters: { top: 1 }, onDisconnect: 'cancel' })
  expect((await draft({ onDisconnect: 'cancel', parameters: { top: 1 }, requestID: 'r' })).bodyHash).toBe(bodyHash)
  expect((await draft({ parameters: { top: 2 }, onDisconnect: 'cancel' })).bodyHash).not.toBe(bodyHash)
})

test.each([
  ['no such model', undefined, 'model-not-found'],
  [
    'a model that is damaged',
    { ...irisOffer, nodes: 0, problem: { kind: 'model-damaged', detail: 'x' } as const },
    'model-damaged',
  ],
])('%s is refused', async (_what, offer, kind) => {
  const submission = { modelID: 'iris', request: { input: {} } }
  expect(draftOf('alice', submission, offer, NOW)).rejects.toMatchObject({ problem: { kind } })
})

test('an input and parameters that do not fit are refused', async () => {
  expect(draft({ input: { features: [1] } })).rejects.toMatchObject({ problem: { kind: 'input-mismatch' } })
  expect(draft({ parameters: { topp: 1 } })).rejects.toMatchObject({ problem: { kind: 'invalid-parameter' } })
})
