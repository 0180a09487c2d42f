import { expect, test } from 'bun:test'
import { KnownVersion } from '@oriel/protocol/known-version'
import fc from 'fast-check'
import * as v from 'valibot'
import { changesOf } from './projection.ts'
import type { Registered } from './registered.ts'

const known = (name: string, description: string, registered: boolean) =>
  v.parse(KnownVersion, {
    name,
    version: '1',
    description,
    engine: 'tensor',
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }],
    limits: { timeoutMs: 1_000, maxBatch: 1, concurrency: 1 },
    ...(registered && { registered }),
  })

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const wanted = fc.uniqueArray(
  fc.record({ name, known: fc.option(fc.constantFrom('old', 'new'), { nil: undefined }) }),
  { selector: (one) => one.name },
)
const found = fc.uniqueArray(fc.record({ name, text: fc.constantFrom('old', 'new'), registered: fc.boolean() }), {
  selector: (one) => one.name,
})

test('afterwards the bucket says what the registry says, and of what nodes announce what it said before', () => {
  fc.assert(
    fc.property(wanted, found, fc.boolean(), (versions, entries, whole) => {
      const registered: Registered[] = versions.map((one) => ({
        key: `${one.name}.1`,
        known: one.known === undefined ? undefined : known(one.name, one.known, true),
      }))
      const before = new Map(entries.map((one) => [`${one.name}.1`, known(one.name, one.text, one.registered)]))
      const { put, drop } = changesOf(registered, before, whole)
      const after = new Map(before)
      for (const { key, known } of put) after.set(key, known)
      for (const key of drop) after.delete(key)
      for (const { key, known } of registered) {
        if (known) expect(after.get(key)).toEqual(known)
        else expect(after.get(key)?.registered).toBeUndefined()
      }
      for (const [key, entry] of before) {
        const told = registered.some((one) => one.key === key)
        if (!told && !(whole && entry.registered)) expect(after.get(key)).toEqual(entry)
        if (!told && whole && entry.registered) expect(after.has(key)).toBe(false)
      }
      // And then there is nothing more to do.
      expect(changesOf(registered, after, whole)).toEqual({ put: [], drop: [] })
    }),
  )
})
