import { beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUNDLED } from '../support/models.ts'
import { Registrant } from '../support/registry.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()
const iris = readFileSync(join(BUNDLED, 'iris/1/model.onnx'))
let registrant: Registrant
beforeAll(async () => {
  registrant = new Registrant(await stack.client('rita', 'models'))
})

test('a model that no node has in its folder is registered, uploaded, checked, and answers', async () => {
  const about = { owner: 'botany', contact: 'botany@example.org', description: 'Kinds of iris.' }
  await registrant.expect(201, 'POST', '/models', { name: 'flowers', ...about })
  const draft = await registrant.draft('flowers', { 'model.onnx': iris })
  expect(draft).toMatchObject({ version: '1', status: 'uploading', createdBy: 'rita' })
  expect(draft.missing).toHaveLength(1)
  expect(await registrant.upload(iris)).toMatchObject({ status: 'stored' })
  const ready = await registrant.checked('flowers', '1')
  expect(ready).toMatchObject({ status: 'ready', missing: [] })
  expect(ready.manifest.inputs).toMatchObject([{ name: 'features', datatype: 'FP32', shape: [4] }])

  await stack.until(async () => (await registrant.client.post('flowers', { input: {} })).status !== 404)
  const { requestID } = await registrant.client.submit('flowers', { input: { features: [5.1, 3.5, 1.4, 0.2] } })
  const events = await registrant.client.follow(requestID)
  expect(events.at(-1)?.type).toBe('completed')
}, 60_000)
