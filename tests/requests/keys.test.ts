import { expect, test } from 'bun:test'
import { KeyList, KeyView, MadeKey } from '@oriel/protocol/api'
import postgres from 'postgres'
import * as v from 'valibot'
import { Client, typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()
const iris = { input: { features: [5.1, 3.5, 1.4, 0.2] } }
const endless = { input: 'Once', parameters: { maxTokens: 500, tokensPerSecond: 1 } }

const post = (client: Client, body: object) =>
  client.send('/keys', { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })

async function make(client: Client, body: object) {
  const response = await post(client, body)
  expect(response.status).toBe(201)
  expect(response.headers.get('Cache-Control')).toBe('no-store')
  const made = v.parse(MadeKey, await response.json())
  return { ...made, program: new Client(stack.url, made.key) }
}

const listOf = async (client: Client) => v.parse(KeyList, await (await client.send('/keys')).json()).keys

const typeOf = async (response: Response) => ((await response.json()) as { type: string }).type

test('a key is made, used as its user, listed without its secret, and revoked', async () => {
  const alice = await stack.client('alice')
  const { key, program, ...made } = await make(alice, { name: 'the nightly job' })
  expect(made).toMatchObject({ name: 'the nightly job', scopes: [], expiresAt: null, lastUsedAt: null })
  expect(key.startsWith(made.prefix)).toBe(true)

  const { requestID, eventsURL } = await program.submit('iris', iris)
  expect(typesOf(await program.follow(requestID)).at(-1)).toBe('completed')
  expect((await alice.get(requestID)).status).toBe('completed')
  expect((await fetch(eventsURL)).status).toBe(200)

  const response = await alice.send('/keys')
  const text = await response.text()
  expect(text).not.toContain(key)
  expect(v.parse(KeyList, JSON.parse(text)).keys).toMatchObject([{ id: made.id, lastUsedAt: expect.any(String) }])
  const sql = postgres(stack.stack.databaseUrl, { max: 1 })
  const [row] = await sql`select * from api_keys where id = ${made.id}`
  await sql.end()
  expect(JSON.stringify(row)).not.toContain(key)
  expect(row?.hash).toBe(new Bun.CryptoHasher('sha256').update(key).digest('hex'))

  expect((await alice.send(`/keys/${made.id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await alice.send(`/keys/${made.id}`, { method: 'DELETE' })).status).toBe(404)
  const refused = await program.send('/requests')
  expect(refused.status).toBe(401)
  expect(await typeOf(refused)).toBe('urn:oriel:problem:unauthenticated')
  expect(await listOf(alice)).toEqual([])
})

test("another user's keys do not exist, and no key reaches another user's requests", async () => {
  const [alice, bob] = await Promise.all([stack.client('alice'), stack.client('bob')])
  const { id, program } = await make(alice, { name: 'hers' })
  expect(await listOf(bob)).toEqual([])
  expect((await bob.send(`/keys/${id}`, { method: 'DELETE' })).status).toBe(404)
  const { requestID } = await bob.submit('iris', iris)
  expect((await program.send(`/requests/${requestID}`)).status).toBe(404)
  expect((await program.send('/models')).status).toBe(200)
})

test('a key has the scopes it was given, and nobody gives what they lack', async () => {
  const [alice, olga] = await Promise.all([stack.client('alice'), stack.client('olga', 'admin')])
  expect((await post(alice, { name: 'more', scopes: ['admin'] })).status).toBe(403)
  const operator = await make(olga, { name: 'on call', scopes: ['admin'] })
  expect((await operator.program.send('/dead-letters')).status).toBe(200)
  const plain = await make(olga, { name: 'plain' })
  expect((await plain.program.send('/dead-letters')).status).toBe(403)
  // Without `keys` a key that leaks cannot be made to last by making others.
  expect((await post(operator.program, { name: 'another' })).status).toBe(403)
  expect((await operator.program.send('/keys')).status).toBe(403)
  const keeper = await make(olga, { name: 'keeper', scopes: ['keys'] })
  expect((await post(keeper.program, { name: 'more', scopes: ['admin'] })).status).toBe(403)
  const child = await make(keeper.program, { name: 'child', scopes: ['keys'] })
  expect(child.scopes).toEqual(['keys'])
  expect((await keeper.program.send(`/keys/${operator.id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await operator.program.send('/dead-letters')).status).toBe(401)
})

test('a key expires', async () => {
  const alice = await stack.client('alice')
  expect((await post(alice, { name: 'late', expiresAt: '2020-01-01T00:00:00Z' })).status).toBe(400)
  const expiresAt = new Date(Date.now() + 1_500).toISOString()
  const { id, program } = await make(alice, { name: 'short', expiresAt })
  expect((await program.send('/requests')).status).toBe(200)
  await stack.until(async () => (await program.send('/requests')).status === 401)
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt))
  expect((await listOf(alice)).find((key) => key.id === id)).toMatchObject({ expiresAt })
})

/** On a busy machine the limiter may answer too late to refuse, and then says nothing of limits. */
async function untilRefused(program: Client): Promise<Response> {
  for (;;) {
    const response = await program.post('iris', iris)
    if (response.status !== 202) return response
    expect(response.headers.get('RateLimit')).toBeNull()
  }
}

test('a key at its limits is refused, also after a crash; its user and their other keys go on', async () => {
  const lena = await stack.client('lena')
  const limits = { rate: { perSecond: 1_000 }, concurrent: 1, bytesPerDay: 5_000_000 }
  const limited = await make(lena, { name: 'limited', limits })
  const other = await make(lena, { name: 'other', limits: { concurrent: 1 } })
  expect(limited.limits).toEqual({ ...limits, rate: { perSecond: 1_000, burst: 1_000 } })
  expect((await listOf(lena)).map(({ limits }) => limits)).toEqual([other.limits, limited.limits])

  const { requestID } = await limited.program.submit('storyteller', endless)
  const refused = await untilRefused(limited.program)
  expect(refused.status).toBe(429)
  expect(refused.headers.get('Retry-After')).toBe('1')
  expect(refused.headers.get('RateLimit-Policy')).toMatch(
    /^"rate";.*, "bytes";.*, "key-rate";q=1000;w=1, "key-concurrent";q=1;qu="concurrent-requests", "key-bytes";q=5000000;/,
  )
  expect(refused.headers.get('RateLimit')).toContain('"key-concurrent";r=0')
  expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('This API key may have 1 requests') })

  for (const client of [lena, other.program]) expect((await client.post('iris', iris)).status).toBe(202)
  await stack.stack.stopPart('edge')
  await stack.stack.startPart('edge')
  await stack.stack.ready()
  expect((await untilRefused(limited.program)).headers.get('RateLimit')).toContain('"key-concurrent";r=0')
  expect((await lena.post('iris', iris)).status).toBe(202)
  await lena.cancel(requestID)
  await stack.until(async () => (await limited.program.post('iris', iris)).status === 202)
}, 60_000)

test('an operator sees and ends the keys of others; who is none learns nothing', async () => {
  const [mia, bob, olga] = await Promise.all([stack.client('mia'), stack.client('bob'), stack.client('olga', 'admin')])
  const { id, program } = await make(mia, { name: 'left behind' })
  const end = (client: Client, id: string) => client.send(`/keys/${id}`, { method: 'DELETE' })
  for (const user of ['mia', 'nobody', 'bob']) {
    const refused = await bob.send(`/keys?user=${user}`)
    expect(refused.status).toBe(403)
    expect(await refused.text()).not.toMatch(/left behind|mia|nobody/)
  }
  const [hers, none] = await Promise.all([end(bob, id), end(bob, crypto.randomUUID())])
  expect([hers.status, none.status]).toEqual([404, 404])
  const [told, expected] = [await hers.json(), await none.json()] as Record<string, unknown>[]
  expect({ ...told, instance: '' }).toEqual({ ...expected, instance: '' })
  const plain = await make(olga, { name: 'plain' })
  expect((await end(plain.program, id)).status).toBe(403)
  expect((await program.send('/requests')).status).toBe(200)

  const { keys } = v.parse(KeyList, await (await olga.send('/keys?user=mia')).json())
  expect(keys.map(({ name }) => name)).toEqual(['left behind'])
  const operator = await make(olga, { name: 'on call', scopes: ['admin'] })
  expect((await end(operator.program, id)).status).toBe(204)
  expect((await end(operator.program, id)).status).toBe(404)
  expect((await program.send('/requests')).status).toBe(401)
  expect((await operator.program.send('/keys')).status).toBe(403)
  expect((await olga.send('/keys?user=%00')).status).toBe(400)
})

test.each([
  ['no name', {}, 'name'],
  ['a name with a line break', { name: 'a\nb' }, 'name'],
  ['a scope that there is not', { name: 'a', scopes: ['root'] }, 'scopes'],
  ['a misspelt option', { name: 'a', expires: '2030-01-01T00:00:00Z' }, 'expires'],
  ['a time that is none', { name: 'a', expiresAt: 'tomorrow' }, 'expiresAt'],
  ['a limit of nothing', { name: 'a', limits: { concurrent: 0 } }, 'limits.concurrent'],
  ['a misspelt limit', { name: 'a', limits: { concurent: 1 } }, 'limits.concurent'],
  ['a day into which no request need fit', { name: 'a', limits: { bytesPerDay: 999_999 } }, 'limits.bytesPerDay'],
  ['a bucket that takes more than a day', { name: 'a', limits: { rate: { perSecond: 1, burst: 86_401 } } }, 'burst'],
  ['a key with limits that could make others', { name: 'a', limits: { concurrent: 1 }, scopes: ['keys'] }, 'limits'],
])('%s is refused', async (_what, body, hint) => {
  const response = await post(await stack.client('alice'), body)
  expect(response.status).toBe(400)
  expect(((await response.json()) as { detail: string }).detail).toContain(hint)
})

test('a mistyped key says that it is mistyped', async () => {
  const { key } = await make(await stack.client('alice'), { name: 'typo' })
  const response = await new Client(stack.url, `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`).send('/requests')
  expect(response.status).toBe(401)
  expect(((await response.json()) as { detail: string }).detail).toContain('mistyped')
})

test('with Postgres away a known key goes on, and an unknown one is not called wrong', async () => {
  const alice = await stack.client('alice')
  const [known, fresh] = [await make(alice, { name: 'known' }), await make(alice, { name: 'fresh' })]
  expect((await known.program.send('/models')).status).toBe(200)
  await stack.without('postgres', async () => {
    const { requestID } = await known.program.submit('iris', iris)
    expect(typesOf(await known.program.follow(requestID)).at(-1)).toBe('completed')
    for (const response of [await fresh.program.send('/models'), await post(alice, { name: 'more' })]) {
      expect(response.status).toBe(503)
      expect(response.headers.get('Retry-After')).toBeTruthy()
      expect(await typeOf(response)).toBe('urn:oriel:problem:unavailable')
    }
  })
  await stack.until(async () => (await fresh.program.send('/models')).status === 200)
  expect(v.parse(v.array(KeyView), await listOf(alice)).map(({ name }) => name)).toContain('fresh')
}, 60_000)
