import { afterAll, beforeAll, expect, test } from 'bun:test'
import { ApiKeys, MAX_KEYS } from '@oriel/db/api-keys'
import { migrate } from '@oriel/db/migrate'
import { type PostgresServer, startPostgres } from '@oriel/db/testing/postgres-server'
import postgres, { type Sql } from 'postgres'

let server: PostgresServer
let client: Sql
let keys: ApiKeys

beforeAll(async () => {
  server = await startPostgres()
  await migrate(server.url)
  client = postgres(server.url, { fetch_types: false })
  keys = new ApiKeys(client)
}, 60_000)

afterAll(async () => {
  await client.end()
  await server.remove()
})

function make(name: string, expiresAt?: number) {
  const key = {
    id: crypto.randomUUID(),
    user: 'alice',
    name,
    hash: crypto.randomUUID(),
    prefix: '',
    scopes: [],
    limits: {},
  }
  return keys.create({ ...key, expiresAt })
}

test('a key that works is always listed, however many have expired since', async () => {
  await make('lasting')
  const expired = Date.now() - 1_000
  for (let count = 0; count < 3 * MAX_KEYS; count += 1) await make('short', expired)
  const names = (await keys.list('alice')).map(({ name }) => name)
  expect(names[0]).toBe('lasting')
  expect(names).toContain('short')
})
