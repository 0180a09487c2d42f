import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Database } from '@oriel/db/database'
import { migrate } from '@oriel/db/migrate'
import { Registry } from '@oriel/db/registry'
import { markStale } from '@oriel/db/stale'
import { type PostgresServer, startPostgres } from '@oriel/db/testing/postgres-server'
import type { Manifest } from '@oriel/protocol/manifest'
import type { NodeStatus } from '@oriel/protocol/node-status'
import { nodeStatus } from '@oriel/protocol/testing'
import postgres, { type Sql } from 'postgres'

let server: PostgresServer
let client: Sql
let database: Database

beforeAll(async () => {
  server = await startPostgres()
  await migrate(server.url)
  client = postgres(server.url, { fetch_types: false })
  database = new Database(server.url)
}, 60_000)

afterAll(async () => {
  await database.end()
  await client.end()
  await server.remove()
})

const manifest: Manifest = {
  name: 'iris',
  version: '1',
  description: '',
  engine: 'tensor',
  files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }],
  inputs: [],
  outputs: [],
  parameters: {},
  limits: { timeoutMs: 1_000, hangMs: 1_000, attempts: 5, maxBatch: 1, concurrency: 1 },
}
const status = (node: string, mode: NodeStatus['mode']) =>
  nodeStatus(node, { lastHeartbeat: 1_000, mode, models: [{ name: 'iris', version: '1', state: 'loaded' }] })

test('silent nodes and models without one are flagged once, and lose the flag when they are back', async () => {
  const registry = new Registry(database)
  registry.sawModel(manifest)
  registry.sawNode(status('killed', 'serving'))
  registry.sawNode(status('left', 'draining'))
  await registry.flush()
  const said: string[] = []
  const mark = async (nodes: string[], versions: string[]) => {
    said.length = 0
    await markStale(database, { nodes, versions }, (level, msg, about) =>
      said.push(`${level}: ${msg} ${JSON.stringify(about)}`),
    )
    const [row] = await client`select to_json(array(select name from nodes where stale order by name)) as nodes,
      to_json(array(select model || '.' || version from model_versions where stale)) as versions`
    return row
  }
  expect(await mark(['killed', 'left'], ['iris.1'])).toEqual({ nodes: [], versions: [] })
  expect(said).toEqual([])
  expect(await mark([], [])).toEqual({ nodes: ['killed', 'left'], versions: ['iris.1'] })
  expect(said).toEqual([
    'warn: no live node has this model any more {"model":"iris.1"}',
    'warn: a node is not heard of any more {"node":"killed"}',
    'info: a node has left {"node":"left"}',
  ])
  await mark([], [])
  expect(said).toEqual([])
  expect(await mark(['killed'], ['iris.1'])).toEqual({ nodes: ['left'], versions: [] })
  expect(said).toEqual([
    'info: a model is there again {"model":"iris.1"}',
    'info: a node is there again {"node":"killed"}',
  ])
})
