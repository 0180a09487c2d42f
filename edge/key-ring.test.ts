import { expect, test } from 'bun:test'
import type { KeyHolder } from '@oriel/db/api-keys'
import { ProblemError } from '@oriel/protocol/problem'
import { newKey } from './api-key.ts'
import { FRESH_MS, KeyRing, STALE_MS } from './key-ring.ts'

/** A ring over a database that can be emptied and taken away, and a clock that stands still. */
function setup(holder: Partial<KeyHolder> = {}) {
  const database = { keys: new Map<string, KeyHolder>(), away: false, asked: 0, now: 0 }
  const ring = new KeyRing(
    async (hash) => {
      database.asked += 1
      if (database.away) throw new ProblemError({ kind: 'unavailable', detail: 'away' })
      return database.keys.get(hash)
    },
    () => database.now,
  )
  const make = async () => {
    const { key, hash } = await newKey()
    database.keys.set(hash, { id: hash, user: 'alice', scopes: ['admin'], limits: {}, expiresAt: undefined, ...holder })
    return { key, hash }
  }
  const kind = async (key: string) => {
    try {
      await ring.caller(key)
      return 'let in'
    } catch (error) {
      if (error instanceof ProblemError) return error.problem.kind
      throw error
    }
  }
  return { database, ring, make, kind }
}

test('a key stands for its user with its own scopes, and those that Oriel does not know are none', async () => {
  const { ring, make } = setup({ scopes: ['admin', 'someday'] })
  const { user, scopes } = await ring.caller((await make()).key)
  expect([user, ...scopes]).toEqual(['alice', 'admin'])
})

test('the database is asked for a key once in a while; a revoked one works until then, and not after', async () => {
  const { database, make, kind } = setup()
  const { key, hash } = await make()
  for (let count = 0; count < 100; count += 1) expect(await kind(key)).toBe('let in')
  expect(database.asked).toBe(1)
  database.keys.delete(hash)
  database.now = FRESH_MS - 1
  expect(await kind(key)).toBe('let in')
  database.now = FRESH_MS
  expect(await kind(key)).toBe('unauthenticated')
})

test('where it was revoked it is known at once', async () => {
  const { database, ring, make, kind } = setup()
  const { key, hash } = await make()
  expect(await kind(key)).toBe('let in')
  database.keys.delete(hash)
  ring.forget(hash)
  expect(await kind(key)).toBe('unauthenticated')
})

test('a key expires to the moment, whatever is remembered', async () => {
  const { database, make, kind } = setup({ expiresAt: 5 })
  const { key } = await make()
  expect(await kind(key)).toBe('let in')
  database.now = 5
  expect(await kind(key)).toBe('unauthenticated')
})

test('with the database away, known keys go on for a while, and of others nothing is said', async () => {
  const { database, make, kind } = setup()
  const [known, other] = [await make(), await make()]
  expect(await kind(known.key)).toBe('let in')
  database.away = true
  database.now = FRESH_MS
  expect(await kind(known.key)).toBe('let in')
  // Not every request waits for a database that is away.
  const { asked } = database
  for (let count = 0; count < 100; count += 1) expect(await kind(known.key)).toBe('let in')
  expect(database.asked).toBe(asked)
  expect(await kind(other.key)).toBe('unavailable')
  database.now = STALE_MS
  expect(await kind(known.key)).toBe('unavailable')
  database.away = false
  database.now += 2_000
  expect(await kind(known.key)).toBe('let in')
  expect(await kind(other.key)).toBe('let in')
})

test('a key that there is not costs one question, and made-up keys push out none that are known', async () => {
  const { database, make, kind } = setup()
  const { key } = await make()
  expect(await kind(key)).toBe('let in')
  const unknown = (await newKey()).key
  for (let count = 0; count < 10; count += 1) expect(await kind(unknown)).toBe('unauthenticated')
  expect(database.asked).toBe(2)
  for (let count = 0; count < 10_100; count += 1) await kind((await newKey()).key)
  const { asked } = database
  expect(await kind(key)).toBe('let in')
  expect(database.asked).toBe(asked)
  expect(await kind(`${key}x`)).toBe('unauthenticated')
  expect(database.asked).toBe(asked)
})

test('while one asks a slow database for a known key, the others do not wait', async () => {
  const holder: KeyHolder = { id: '', user: 'alice', scopes: [], limits: {}, expiresAt: undefined }
  const world = { now: 0, asked: 0 }
  const slow = Promise.withResolvers<KeyHolder | undefined>()
  const load = () => (++world.asked === 1 ? Promise.resolve(holder) : slow.promise)
  const ring = new KeyRing(load, () => world.now)
  const { key, hash } = await newKey()
  await ring.caller(key)
  world.now = FRESH_MS
  const first = ring.caller(key)
  while (world.asked === 1) await Bun.sleep(0)
  for (let count = 0; count < 100; count += 1) expect((await ring.caller(key)).user).toBe('alice')
  expect(world.asked).toBe(2)
  // And what was revoked here in the meantime is not known again, because the database went away.
  ring.forget(hash)
  slow.reject(new ProblemError({ kind: 'unavailable', detail: 'away' }))
  await expect(first).rejects.toThrow('away')
})

test('an outage costs one of those with unknown keys the wait; known keys go on meanwhile', async () => {
  const { database, make, kind } = setup()
  const known = (await make()).key
  expect(await kind(known)).toBe('let in')
  const others = await Promise.all(Array.from({ length: 20 }, make))
  database.away = true
  const { asked } = database
  for (let round = 1; round <= 3; round += 1) {
    for (const { key } of others) expect(await kind(key)).toBe('unavailable')
    expect(database.asked).toBe(asked + round)
    expect(await kind(known)).toBe('let in')
    database.now += 2_000
  }
  database.away = false
  for (const { key } of others) expect(await kind(key)).toBe('let in')
})

test('a key that has limits is told with them, another is told without any', async () => {
  const limits = { concurrent: 3 }
  const limited = setup({ limits })
  const { key, hash } = await limited.make()
  expect((await limited.ring.caller(key)).key).toEqual({ id: hash, limits })
  const free = setup()
  expect(await free.ring.caller((await free.make()).key)).not.toHaveProperty('key')
})
