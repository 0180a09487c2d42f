import { beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeStatuses } from '@oriel/dev/node-statuses'
import { counterModel } from '@oriel/gpu-node/engines/testing/models'
import { onnxBytes, type PortDef } from '@oriel/gpu-node/engines/testing/onnx-bytes'
import { ModelView } from '@oriel/protocol/api'
import { RegistryPage, VersionView } from '@oriel/protocol/model-registry'
import type { NodeStatus } from '@oriel/protocol/node-status'
import postgres from 'postgres'
import * as v from 'valibot'
import { BUNDLED } from '../support/models.ts'
import { Registrant, sha256Of } from '../support/registry.ts'
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

const identity = (op = 'Identity', type: PortDef['type'] = 'float32') =>
  onnxBytes({
    inputs: [{ name: 'x', type, shape: ['n', 2] }],
    outputs: [{ name: 'y', type, shape: ['n', 2] }],
    nodes: [{ op, inputs: ['x'], outputs: ['y'] }],
  })
const fieldsOf = (datatype: string) => ({
  inputs: [{ name: 'x', datatype, shape: [2] }],
  outputs: [{ name: 'y', datatype, shape: [2] }],
})
const limits = { timeoutMs: 10_000, maxBatch: 4, concurrency: 4 }

test('what cannot run is refused with the reason: no graph, an unknown operator, a manifest that is not true', async () => {
  const outcome = async (data: Uint8Array, fields: object = {}) => {
    const { status, problem } = await registrant.register('hopeless', { 'model.onnx': data }, fields)
    return { status, kind: problem?.kind, detail: problem?.detail }
  }
  const [none, strange, untrue, true_] = [
    await outcome(new TextEncoder().encode('this is no graph')),
    await outcome(identity('Teleport')),
    await outcome(identity(), { ...fieldsOf('INT64'), limits }),
    await outcome(identity(), { ...fieldsOf('FP32'), limits }),
  ]
  expect(none).toMatchObject({ status: 'refused', kind: 'model-unavailable' })
  expect(strange).toMatchObject({ status: 'refused', kind: 'model-unavailable' })
  expect(strange.detail).toContain('Teleport')
  expect(untrue).toMatchObject({ status: 'refused', kind: 'model-unavailable' })
  expect(untrue.detail).toContain('"x"')
  expect(true_).toMatchObject({ status: 'ready' })
  // Nothing of our folders is told, and the refused are not offered.
  for (const { detail = '' } of [none, strange, untrue]) expect(detail).not.toMatch(/\/(work|tmp|home|root)\//)
  await stack.until(async () => (await offered('hopeless'))?.version === '4')
}, 60_000)

test('a manifest with another size than its file has is refused, before the file comes and after', async () => {
  const data = identity('Exp')
  const files = [{ path: 'model.onnx', sha256: sha256Of(data), bytes: data.byteLength + 1 }]
  await registrant.expect(201, 'POST', '/models', { name: 'mistaken' })
  await registrant.expect(201, 'POST', '/models/mistaken/versions', { files })
  await registrant.upload(data)
  expect(await registrant.checked('mistaken', '1')).toMatchObject({
    status: 'refused',
    problem: { kind: 'content-mismatch', detail: expect.stringContaining(String(data.byteLength)) },
  })
  const late = await registrant.send('POST', '/models/mistaken/versions', { files })
  expect(late.status).toBe(422)
  expect(await late.text()).toContain('content-mismatch')
})

test('versions that cannot be checked do not keep others waiting', async () => {
  await registrant.upload(iris)
  const { manifest } = await registrant.register('stuck', { 'model.onnx': iris })
  // A name that no disk takes: the node cannot link the file, and says that it is unable.
  const files = manifest.files.map((one) => ({ ...one, path: 'm'.repeat(256) }))
  const rows = Array.from({ length: 21 }, (_, n) => ({
    model: 'stuck',
    version: String(n + 2),
    status: 'checking',
    manifest: { ...manifest, version: String(n + 2), files } as never,
  }))
  const sql = postgres(stack.stack.databaseUrl, { max: 1, onnotice: () => {} })
  await sql`insert into model_versions ${sql(rows)}`
  const tries = () => sql`select tries, status from model_versions where model = 'stuck' and version <> '1'`
  const { status } = await registrant.register('unstuck', { 'model.onnx': identity('Tan') })
  expect(status).toBe('ready')
  await stack.until(async () => (await tries()).every((row) => row.tries > 0))
  // It ends: after so many tries the reason is told.
  await sql`update model_versions set tries = 29, tried_at = null where model = 'stuck' and version = '2'`
  expect(await registrant.checked('stuck', '2')).toMatchObject({ status: 'refused', problem: { kind: 'internal' } })
  await sql`delete from model_versions where model = 'stuck'`
  await sql.end()
}, 60_000)

test('a file that is just being deleted is missing for whoever registers it', async () => {
  const data = identity('Floor')
  await registrant.upload(data)
  await registrant.expect(201, 'POST', '/models', { name: 'late' })
  const sql = postgres(stack.stack.databaseUrl, { max: 2, onnotice: () => {} })
  const draft = await sql.begin(async (deleting) => {
    await deleting`delete from artifacts where sha256 = ${sha256Of(data)}`
    const drafted = registrant.draft('late', { 'model.onnx': data })
    await stack.until(async () => {
      const [row] = await sql`
        select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and query like '%from artifacts%'`
      return row?.n === 1
    })
    return { drafted }
  })
  expect((await draft.drafted).missing).toEqual([sha256Of(data)])
  await sql.end()
})

async function offered(name: string) {
  const answer = await registrant.client.send(`/models?q=${name}`)
  const { models } = v.parse(v.object({ models: v.array(ModelView) }), await answer.json())
  return models.find(({ modelID }) => modelID === name)
}

test('of two who register one version at once one wins; a number is used once', async () => {
  await registrant.expect(201, 'POST', '/models', { name: 'contested' })
  const files = [{ path: 'model.onnx', sha256: sha256Of(iris), bytes: iris.byteLength }]
  const post = () => registrant.send('POST', '/models/contested/versions', { version: '7', files })
  const answers = await Promise.all(Array.from({ length: 6 }, post))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409])
  await registrant.expect(204, 'DELETE', '/models/contested/versions/7')
  expect((await post()).status).toBe(409)
  const without = Array.from({ length: 4 }, () => registrant.send('POST', '/models/contested/versions', { files }))
  const made = await Promise.all((await Promise.all(without)).map((answer) => answer.json()))
  expect(made.map((one) => v.parse(VersionView, one).version).sort()).toEqual(['10', '11', '8', '9'])
})

test('the newest version is what a name means, until it is deprecated', async () => {
  await registrant.register('edition', { 'model.onnx': identity() })
  await registrant.register('edition', { 'model.onnx': identity('Neg') })
  await stack.until(async () => (await offered('edition'))?.version === '2')
  await registrant.expect(200, 'PATCH', '/models/edition/versions/2', { deprecated: true })
  await stack.until(async () => (await offered('edition'))?.version === '1')
  await registrant.expect(200, 'PATCH', '/models/edition/versions/2', { deprecated: false })
  await stack.until(async () => (await offered('edition'))?.version === '2')
}, 60_000)

test('what is in use is not deleted; what is deleted is gone, and so are files that nothing else needs', async () => {
  const shared = identity('Abs')
  const own = new TextEncoder().encode(crypto.randomUUID())
  await registrant.register('doomed', { 'model.onnx': shared, 'notes.txt': own })
  await registrant.register('heir', { 'model.onnx': shared })
  await stack.until(async () => (await offered('doomed')) !== undefined)
  const { requestID } = await registrant.client.submit('doomed', { input: { x: [1, -2] } })
  await registrant.client.follow(requestID)
  await stack.recorded('rita', requestID, 'completed')
  const nc = await stack.stack.nats('admin')
  const isTold = ({ models }: NodeStatus) => models.some(({ name, state }) => name === 'doomed' && state === 'loaded')
  await stack.until(async () => (await nodeStatuses(nc)).some(isTold))
  await nc.close()
  const refused = await registrant.send('DELETE', '/models/doomed')
  expect(refused.status).toBe(409)
  expect(await refused.text()).toContain('node-1')
  expect((await registrant.send('DELETE', '/models/doomed?force=true')).status).toBe(403)
  const admin = new Registrant(await stack.client('rita', 'models admin'))
  await admin.expect(204, 'DELETE', '/models/doomed?force=true')
  expect((await registrant.send('GET', '/models/doomed')).status).toBe(404)
  expect(await registrant.version('doomed', '1')).toMatchObject({ status: 'deleted' })
  await stack.until(async () => (await offered('doomed')) === undefined)
  const artifact = async (data: Uint8Array) => (await registrant.send('GET', `/artifacts/${sha256Of(data)}`)).status
  expect(await artifact(own)).toBe(404)
  expect(await artifact(shared)).toBe(200)
}, 60_000)

test('requests that are under way keep a version from being deleted, also by force', async () => {
  const counter = readFileSync(join(counterModel(stack.modelsDir, {}, 'scratch').dir, 'model.onnx'))
  const hangMs = 60_000
  await registrant.register('slow', { 'model.onnx': counter }, { limits: { ...limits, maxBatch: 0, hangMs } })
  await stack.until(async () => (await offered('slow')) !== undefined)
  const { requestID } = await registrant.client.submit('slow', { input: { times: 3e9 } })
  await stack.until(async () => (await registrant.client.get(requestID)).status === 'started')
  const admin = new Registrant(await stack.client('rita', 'models admin'))
  await stack.until(async () => {
    // The record hears of a request a moment after it was accepted.
    const sql = postgres(stack.stack.databaseUrl, { max: 1, onnotice: () => {} })
    const [row] = await sql`select count(*)::int as n from requests where model_id = 'slow'`
    await sql.end()
    return row?.n === 1
  })
  const refused = await admin.send('DELETE', '/models/slow/versions/1?force=true')
  expect(refused.status).toBe(409)
  expect(await refused.text()).toContain('1 requests')
  await registrant.client.cancel(requestID)
  await stack.recorded('rita', requestID, 'cancelled')
  await admin.expect(204, 'DELETE', '/models/slow/versions/1?force=true')
}, 60_000)

test('the registry is listed and searched, in pages; an answer that is known is not sent again', async () => {
  const names = ['list-a', 'list-b', 'list-c']
  for (const name of names) await registrant.expect(201, 'POST', '/models', { name, owner: `Team ${name}` })
  await registrant.draft('list-b', { 'model.onnx': identity('Sqrt') })
  const list = async (query: string) => v.parse(RegistryPage, await registrant.expect(200, 'GET', `/registry?${query}`))
  const first = await list('q=team%20LIST&limit=2')
  expect(first.models.map(({ modelID }) => modelID)).toEqual(['list-a', 'list-b'])
  const second = await list(`q=team%20LIST&limit=2&nextCursor=${first.nextCursor}`)
  expect(second).toMatchObject({ models: [{ modelID: 'list-c', versions: [] }], nextCursor: null })
  expect((await list('q=list&status=uploading')).models.map(({ modelID }) => modelID)).toEqual(['list-b'])
  expect((await registrant.send('GET', '/registry?status=lost')).status).toBe(400)

  const whole = await registrant.send('GET', '/models/list-a')
  const headers = { 'If-None-Match': whole.headers.get('ETag') ?? '' }
  expect((await registrant.client.send('/models/list-a', { headers })).status).toBe(304)
  await registrant.expect(200, 'PATCH', '/models/list-a', { contact: 'list@example.org' })
  const changed = await registrant.client.send('/models/list-a', { headers })
  expect(await changed.json()).toMatchObject({ owner: 'Team list-a', contact: 'list@example.org' })
})

test.each([
  ['a model twice', 'POST', '/models', { name: 'flowers' }, 409],
  ['a name with a dot', 'POST', '/models', { name: 'a.b' }, 400],
  ['an unknown model', 'POST', '/models/nobody/versions', { files: [file('m.onnx')] }, 404],
  ['an unknown field', 'POST', '/models/flowers/versions', { files: [file('m.onnx')], sizes: 1 }, 400],
  ['no files', 'POST', '/models/flowers/versions', { files: [] }, 400],
  ['a path that leads out', 'POST', '/models/flowers/versions', { files: [file('../m.onnx')] }, 400],
  ['one path twice', 'POST', '/models/flowers/versions', { files: [file('m.onnx'), file('m.onnx')] }, 400],
  ['a name that no disk takes', 'POST', '/models/flowers/versions', { files: [file('m'.repeat(256))] }, 400],
  ['a path in a file', 'POST', '/models/flowers/versions', { files: [file('m.onnx'), file('m.onnx/w')] }, 400],
  ['one content with two sizes', 'POST', '/models/flowers/versions', { files: [file('a'), file('b', 2)] }, 400],
  ['another name than the path', 'POST', '/models/flowers/versions', { name: 'x', files: [file('m.onnx')] }, 400],
  ['a text that no database takes', 'POST', '/models/flowers/versions', { description: '\0', files: [file('m')] }, 400],
  ['a hash that is none', 'POST', '/uploads', { sha256: 'x', bytes: 1 }, 400],
  ['more parts than there may be', 'POST', '/uploads', { ...file('m'), bytes: 6e11, path: undefined }, 400],
  ['a part too small', 'POST', '/uploads', { sha256: '0'.repeat(64), bytes: 1, partBytes: 1 }, 400],
  ['a version that is not there', 'PATCH', '/models/flowers/versions/99', { deprecated: true }, 404],
] as const)('%s is refused', async (_, method, path, body, status) => {
  const answer = await registrant.send(method, path, body)
  expect(answer.status).toBe(status)
  expect(answer.headers.get('Content-Type')).toBe('application/problem+json')
})

test('who has not the scope changes nothing', async () => {
  const stranger = new Registrant(await stack.client('eve'))
  expect((await stranger.send('POST', '/models', { name: 'eves' })).status).toBe(403)
  expect((await stranger.send('POST', '/models/flowers/versions', { files: [file('m.onnx')] })).status).toBe(403)
  expect((await stranger.send('PATCH', '/models/flowers/versions/1', { deprecated: true })).status).toBe(403)
  expect((await stranger.send('DELETE', '/models/flowers')).status).toBe(403)
  expect((await stranger.send('GET', '/models/flowers')).status).toBe(200)
})

function file(path: string, bytes = 1) {
  return { path, sha256: '0'.repeat(64), bytes }
}
