import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { hashOfKey, newKey } from './api-key.ts'
import { sha256Hex } from './canonical.ts'

test('keys differ, and are known by the hash of all their letters', async () => {
  const keys = await Promise.all(Array.from({ length: 100 }, newKey))
  expect(new Set(keys.map(({ key }) => key)).size).toBe(100)
  for (const { key, hash, prefix } of keys) {
    expect(await hashOfKey(key)).toBe(hash)
    expect(hash).toBe(await sha256Hex(key))
    expect(key.startsWith(prefix)).toBe(true)
    expect(prefix.length).toBeLessThan(key.length / 3)
  }
})

test('a key with one letter wrong, missing or too many is told without asking anybody', async () => {
  const { key } = await newKey()
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: key.length - 1 }), fc.constantFrom('A', 'b', '_', '.', ''), async (at, letter) => {
      fc.pre(key[at] !== letter)
      expect(await hashOfKey(key.slice(0, at) + letter + key.slice(at + 1))).toBeUndefined()
    }),
  )
  expect(await hashOfKey(`${key}A`)).toBeUndefined()
  expect(await hashOfKey(key.toUpperCase())).toBeUndefined()
})
