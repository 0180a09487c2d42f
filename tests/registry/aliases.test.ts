import { beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { counterModel } from '@oriel/gpu-node/engines/testing/models'
import { onnxBytes, type PortDef } from '@oriel/gpu-node/engines/testing/onnx-bytes'
import { AliasList, type AliasView } from '@oriel/protocol/alias'
import { ModelView, PredictionAnswer } from '@oriel/protocol/api'
import { ALL_WARM_UPS } from '@oriel/protocol/subjects'
import postgres from 'postgres'
import * as v from 'valibot'
import { moodyModel } from '../support/models.ts'
import { Registrant } from '../support/registry.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({
  nodes: 2,
  prepare: (dir) => {
    moodyModel(dir, 10)
    moodyModel(dir, 1, { version: '2', sample: { x: 5 } })
  },
})
let registrant: Registrant
beforeAll(async () => {
  registrant = new Registrant(await stack.client('rita', 'models'))
})

const graph = (op: string) => {
  const port = (name: string): PortDef => ({ name, type: 'float32', shape: ['n', 2] })
  return onnxBytes({ inputs: [port('x')], outputs: [port('y')], nodes: [{ op, inputs: ['x'], outputs: ['y'] }] })
}
/** Version 1 gives back what it gets, version 2 its negative. */
async function registerSigns(name: string): Promise<void> {
  await registrant.register(name, { 'model.onnx': graph('Identity') })
  await registrant.register(name, { 'model.onnx': graph('Neg') })
  await stack.until(async () => (await offered(name))?.versions.length === 2)
}
const SIGNS: Readonly<Record<string, number>> = { '1': 1, '2': -1 }

async function offered(name: string): Promise<ModelView | undefined> {
  const answer = await registrant.client.send(`/models?q=${name}`)
  const { models } = v.parse(v.object({ models: v.array(ModelView) }), await answer.json())
  return models.find(({ modelID }) => modelID === name)
}

async function aliasOf(name: string, alias = 'production'): Promise<AliasView | undefined> {
  const { aliases } = v.parse(AliasList, await registrant.expect(200, 'GET', `/models/${name}/aliases`))
  return aliases.find((one) => one.alias === alias)
}

const set = (name: string, version: string, alias = 'production') =>
  registrant.send('PUT', `/models/${name}/aliases/${alias}`, { version })

async function switched(name: string, version: string, alias = 'production'): Promise<void> {
  expect((await set(name, version, alias)).ok).toBe(true)
  await stack.until(async () => (await aliasOf(name, alias))?.version === version)
}

/** Until relays and edges have heard of it. */
const meant = (reference: string, version: string) =>
  stack.until(async () => (await (await predict(reference)).json())?.version === version)

const predict = (reference: string) =>
  registrant.send('POST', `/models/${reference}/predict`, { inputs: { x: [1, 2] } })

test('versions and aliases are named wherever a model is', async () => {
  await registerSigns('named')
  const version = async (reference: string) => (await (await predict(reference)).json())?.version
  expect(await version('named')).toBe('2')
  expect(await version('named@1')).toBe('1')
  expect((await predict('named@staging')).status).toBe(404)
  await switched('named', '1')
  await switched('named', '2', 'staging')
  await meant('named', '1')
  await meant('named@staging', '2')
  expect([await version('named@production'), await version('named@latest')]).toEqual(['1', '2'])
  expect(await offered('named')).toMatchObject({ version: '1', aliases: { production: '1', staging: '2' } })

  const ready = (path: string) => registrant.client.send(`/v2/models/${path}`)
  expect(await (await ready('named')).json()).toMatchObject({ versions: ['1', '2'] })
  expect((await ready('named@staging/ready')).status).toBe(200)
  expect((await ready('named@canary/ready')).status).toBe(400)

  const sign = async (reference: string) => {
    const { requestID } = await registrant.client.submit(reference, { input: { x: [1, 2] } })
    const events = await registrant.client.follow(requestID)
    return events.find(({ type }) => type === 'responses')?.data.response
  }
  expect(await sign('named')).toEqual({ y: [1, 2] })
  expect(await sign('named@staging')).toEqual({ y: [-1, -2] })
  expect((await registrant.client.post('named@canary', { input: { x: [1, 2] } })).status).toBe(404)

  const refused = await registrant.send('DELETE', '/models/named/versions/2?force=true')
  expect(refused.status).toBe(403)
  const admin = new Registrant(await stack.client('rita', 'models admin'))
  const inUse = await admin.send('DELETE', '/models/named/versions/2?force=true')
  expect(inUse.status).toBe(409)
  expect(await inUse.text()).toContain('named@staging')
  await registrant.expect(204, 'DELETE', '/models/named/aliases/staging')
  await stack.until(async () => (await predict('named@staging')).status === 404)
  expect((await registrant.send('DELETE', '/models/named/aliases/staging')).status).toBe(404)
}, 120_000)

test('a switch under load, and back: no request fails, and each is answered by the version it was accepted for', async () => {
  await registerSigns('swing')
  await switched('swing', '1')
  await meant('swing', '1')
  const seen = new Set<string>()
  const failures: string[] = []
  const requests: Promise<{ requestID: string; sign: number }>[] = []
  const ask = async () => {
    const answer = await predict('swing')
    if (!answer.ok) return void failures.push(`${answer.status} ${await answer.text()}`)
    const { version, outputs } = v.parse(PredictionAnswer, await answer.json())
    seen.add(version)
    if (JSON.stringify(outputs) !== JSON.stringify({ y: [SIGNS[version], 2 * Number(SIGNS[version])] }))
      failures.push(`version ${version} answered ${JSON.stringify(outputs)}`)
  }
  const send = async () => {
    const { requestID } = await registrant.client.submit('swing', { input: { x: [1, 2] } })
    requests.push(
      registrant.client.follow(requestID).then((events) => {
        const { response } = events.find(({ type }) => type === 'responses')?.data ?? {}
        return { requestID, sign: v.parse(v.object({ y: v.array(v.number()) }), response).y[0] ?? 0 }
      }),
    )
  }
  let over = false
  const load = Array.from({ length: 4 }, async (_, at) => {
    while (!over) await (at === 0 ? send() : ask())
  })
  await switched('swing', '2')
  await meant('swing', '2')
  expect((await aliasOf('swing'))?.nodes.length).toBeGreaterThan(0)
  await switched('swing', '1')
  await meant('swing', '1')
  over = true
  await Promise.all(load)
  expect(failures).toEqual([])
  expect([...seen].sort()).toEqual(['1', '2'])

  const answered = await Promise.all(requests)
  for (const { requestID } of answered) await stack.recorded('rita', requestID, 'completed')
  const sql = postgres(stack.stack.databaseUrl, { max: 1, onnotice: () => {} })
  const rows = await sql`select request_id as "requestID", version from requests where model_id = 'swing'`
  await sql.end()
  const versions = new Map(rows.map(({ requestID, version }) => [requestID, String(version)]))
  for (const { requestID, sign } of answered) expect(sign).toBe(Number(SIGNS[String(versions.get(requestID))]))
  expect(new Set(answered.map(({ sign }) => sign))).toEqual(new Set([1, -1]))
}, 180_000)

test('an alias does not move to a version that fails its warm-up', async () => {
  await stack.until(async () => (await registrant.send('GET', '/models/moody/versions/2')).status === 200)
  await stack.until(async () => (await registrant.send('GET', '/models/moody/versions/1')).status === 200)
  await switched('moody', '1')
  expect((await set('moody', '2')).status).toBe(202)
  await stack.until(async () => (await aliasOf('moody'))?.switch === undefined)
  expect(await aliasOf('moody')).toMatchObject({
    version: '1',
    failure: { version: '2', problem: { kind: 'model-unavailable' } },
  })
  expect((await set('moody', '3')).status).toBe(404)
  expect((await set('moody', '1', 'latest')).status).toBe(400)
  expect((await set('nobody', '1')).status).toBe(404)
  const stranger = new Registrant(await stack.client('eve'))
  expect((await stranger.send('PUT', '/models/moody/aliases/production', { version: '1' })).status).toBe(403)
}, 120_000)

test('a switch in whose middle a node dies, and then whoever leads it, comes to its end', async () => {
  const counter = readFileSync(join(counterModel(stack.modelsDir, {}, 'scratch').dir, 'model.onnx'))
  const limits = { timeoutMs: 60_000, maxBatch: 0, concurrency: 1, hangMs: 60_000 }
  await registrant.register('slow', { 'model.onnx': counter }, { limits, sample: { times: 1 } })
  await registrant.register('slow', { 'model.onnx': counter }, { limits, sample: { times: 5e6 } })
  await switched('slow', '1')
  const nc = await stack.stack.nats('admin')
  const orders = nc.subscribe(ALL_WARM_UPS)[Symbol.asyncIterator]()
  await nc.flush()
  const next = async () =>
    String((await orders.next()).value?.subject)
      .split('.')
      .at(-1)
  expect((await set('slow', '2')).status).toBe(202)
  const node = await next()
  const victim = (await stack.stack.parts()).find(({ name }) => name === node)
  process.kill(Number(victim?.pid), 'SIGKILL')
  await next()
  expect(await aliasOf('slow')).toMatchObject({ version: '1', switch: { version: '2' } })
  await stack.kill('recorder')
  await stack.until(async () => (await aliasOf('slow'))?.version === '2')
  expect((await aliasOf('slow'))?.nodes.length).toBeGreaterThan(0)
  await nc.close()
}, 180_000)
