import { beforeAll, expect, test } from 'bun:test'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundledModels } from '@oriel/dev/bundled-models'
import { firstPlan } from '@oriel/dev/plan'
import { prepareBroker } from '@oriel/dev/streams'
import { BUNDLED } from '../support/models.ts'
import { Registrant, sha256Of } from '../support/registry.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()
const iris = readFileSync(join(BUNDLED, 'iris/1/model.onnx'))
const input = { features: [5.1, 3.5, 1.4, 0.2] }
let registrant: Registrant
beforeAll(async () => {
  registrant = new Registrant(await stack.client('rita', 'models'))
  await registrant.register('flowers', { 'model.onnx': iris })
}, 60_000)

/** Until a request to the model is accepted; how it ends. */
async function answer(model = 'flowers'): Promise<string | undefined> {
  let response = await registrant.client.post(model, { input })
  await stack.until(async () => {
    if (response.status === 202) return true
    response = await registrant.client.post(model, { input })
    return false
  })
  const { requestID } = (await response.json()) as { requestID: string }
  return (await registrant.client.follow(requestID)).at(-1)?.type
}

test('the broker loses all it had: what was registered and its aliases are there again, and answer', async () => {
  await registrant.expect(202, 'PUT', '/models/flowers/aliases/staging', { version: '1' })
  expect(await answer('flowers@staging')).toBe('completed')
  await stack.stack.stopPart('nats')
  rmSync(join(stack.stack.stateDir, 'jetstream'), { recursive: true, force: true })
  await stack.stack.startPart('nats')
  const nc = await stack.stack.nats('admin')
  await prepareBroker(nc, firstPlan(bundledModels(BUNDLED)))
  await nc.close()
  expect(await answer('flowers@staging')).toBe('completed')
}, 60_000)

test('a node that starts again has its files, and fetches one anew that was damaged on its disk', async () => {
  const blob = join(stack.stack.stateDir, 'cache/node-1/blobs', sha256Of(iris))
  await stack.stack.stopPart('node-1')
  writeFileSync(blob, Buffer.alloc(iris.byteLength))
  await stack.stack.startPart('node-1')
  expect(await answer()).toBe('completed')
  expect(sha256Of(readFileSync(blob))).toBe(sha256Of(iris))
}, 60_000)

test('a file that the store has lost is a problem of the model that a client is told; put back, it answers', async () => {
  const stored = join(stack.stack.stateDir, 'edge/artifacts/artifacts', sha256Of(iris))
  await stack.stack.stopPart('node-1')
  rmSync(join(stack.stack.stateDir, 'cache'), { recursive: true })
  writeFileSync(stored, Buffer.alloc(iris.byteLength))
  await stack.stack.startPart('node-1')
  const { requestID } = await registrant.client.submit('flowers', { input, timeoutMs: 20_000 })
  const events = await registrant.client.follow(requestID)
  expect(events.find(({ type }) => type === 'retrying')?.data.problem).toMatchObject({ kind: 'model-damaged' })
  // Other models of the node do not notice.
  const other = await registrant.client.submit('iris', { input })
  expect((await registrant.client.follow(other.requestID)).at(-1)?.type).toBe('completed')
  writeFileSync(stored, iris)
  await stack.stack.restart('node-1')
  expect(await answer()).toBe('completed')
}, 90_000)
