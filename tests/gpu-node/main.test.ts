import { afterEach, beforeEach, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kvm } from '@nats-io/kv'
import { NodeStatus } from '@oriel/protocol/node-status'
import { NODES } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { TestBroker } from './broker.ts'
import { TestClient, textOf, typesOf } from './client.ts'
import { NodeProcess } from './node-process.ts'

// The node as it is shipped: real hosts, and the models of the repository.

const ROOT = join(import.meta.dir, '../..')
const MAIN = join(ROOT, 'gpu-node/main.ts')

let broker: TestBroker
let client: TestClient
let models: string

beforeEach(async () => {
  broker = await TestBroker.start()
  client = new TestClient(await broker.connect())
  models = mkdtempSync(join(tmpdir(), 'oriel-models-'))
  cpSync(join(ROOT, 'models/iris'), join(models, 'iris'), { recursive: true })
})
afterEach(async () => {
  await client.nc.close()
  await broker[Symbol.asyncDispose]()
  rmSync(models, { recursive: true, force: true })
})

test('a node runs a real model, says what it has, and leaves nothing running', async () => {
  cpSync(join(models, 'iris/1'), join(models, 'iris/2'), { recursive: true })
  writeFileSync(join(models, 'iris/2/manifest.json'), '{')
  await using node = new NodeProcess(broker, 'node-a', { ORIEL_MODELS_DIR: models, ORIEL_HOSTS: '1' }, MAIN)
  const id = await client.submit({ features: [5.1, 3.5, 1.4, 0.2] }, { model: 'iris' })
  const events = await client.ended(id)
  expect(typesOf(events)).toEqual(['started', 'responses', 'completed'])
  expect(events[1]).toMatchObject({ response: expect.any(Object) })
  const nodes = await new Kvm(client.nc).open(NODES)
  const updates = await nodes.watch({ key: 'node-a' })
  let status: NodeStatus | undefined
  for await (const update of updates) {
    status = v.parse(NodeStatus, update.json())
    if (status.models.some(({ state }) => state === 'loaded')) break
  }
  expect(status).toMatchObject({
    mode: 'serving',
    hosts: [{ name: 'host-1', models: ['iris/1'] }],
    models: [
      { name: 'iris', version: '1', state: 'loaded' },
      { name: 'iris', version: '2', state: 'unavailable', problem: { kind: 'model-unavailable' } },
    ],
  })
  const host = Number(status?.hosts[0]?.pid)
  expect(await node.kill('SIGTERM')).toBe(0)
  expect(() => process.kill(host, 0)).toThrow('ESRCH')
}, 30_000)

test('a story goes on as it would have, after its host and then its node were killed', async () => {
  cpSync(join(ROOT, 'models/storyteller'), join(models, 'storyteller'), { recursive: true })
  const env = { ORIEL_MODELS_DIR: models, ORIEL_HOSTS: '1' }
  await using first = new NodeProcess(broker, 'node-a', env, MAIN)
  const parameters = { maxTokens: 60, temperature: 0.8, topK: 40, topP: 0.95, seed: 7 }
  const submit = (rate: number) =>
    client.submit('Once upon a time', {
      model: 'storyteller',
      parameters: { ...parameters, tokensPerSecond: rate },
    })
  const whole = await client.ended(await submit(0))
  const tokens = (events: typeof whole) =>
    events.flatMap((event) => (event.type === 'responses' ? (event.tokens ?? []) : []))
  expect(tokens(whole).length).toBeGreaterThan(20)

  const id = await submit(25)
  await client.until(id, (events) => tokens(events).length > 5)
  const nodes = await new Kvm(client.nc).open(NODES)
  const [host] = v.parse(NodeStatus, (await nodes.get('node-a'))?.json()).hosts
  process.kill(Number(host?.pid), 'SIGKILL')
  await client.until(id, (events) => events.some((event) => event.type === 'started' && event.attempt === 2))
  await client.until(id, (events) => tokens(events).length > 15)
  await first.kill('SIGKILL')
  await using _second = new NodeProcess(broker, 'node-b', env, MAIN)
  const events = await client.ended(id)
  expect(textOf(events)).toBe(textOf(whole))
  expect(tokens(events)).toEqual(tokens(whole))
  expect(events.filter(({ type }) => type === 'started')).toMatchObject([
    { node: 'node-a', attempt: 1 },
    { node: 'node-a', attempt: 2 },
    { node: 'node-b', attempt: 3 },
  ])
}, 60_000)

test('wrong variables are named, without their values', async () => {
  const env = { ORIEL_MODELS_DIR: models, ORIEL_SLOTS: 'secret', ORIEL_HOSTS: '0' }
  await using node = new NodeProcess(broker, 'node-a', env, MAIN)
  expect(await node.exited).toBe(1)
  const said = JSON.stringify(node.lines)
  expect(said).toContain('ORIEL_SLOTS')
  expect(said).toContain('ORIEL_HOSTS')
  expect(said).not.toContain('secret')
})
