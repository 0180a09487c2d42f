import { beforeAll, expect, test } from 'bun:test'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import { Registrant, sha256Of } from '../support/registry.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({ edge: 'workerd', nodes: 0 })
let registrant: Registrant
beforeAll(async () => {
  registrant = new Registrant(await stack.client('rita', 'models'))
})

test('a store that takes no part is not told as a part of a wrong length', async () => {
  const data = crypto.getRandomValues(new Uint8Array(1_000))
  const sha256 = sha256Of(data)
  await registrant.expect(201, 'POST', '/uploads', { sha256, bytes: data.byteLength })
  const sql = postgres(stack.stack.databaseUrl, { max: 1, onnotice: () => {} })
  const [row] = await sql`select handle from uploads where sha256 = ${sha256}`
  await sql.end()
  // Where the folder of the parts should be there is a file.
  const uploads = join(stack.stack.stateDir, 'edge/artifacts/uploads')
  mkdirSync(uploads, { recursive: true })
  writeFileSync(join(uploads, String(row?.handle)), '')
  const answer = await registrant.client.send(`/uploads/${sha256}/parts/1`, { method: 'PUT', body: data })
  expect(answer.status).toBe(503)
  expect(await answer.text()).toContain('unavailable')
})
