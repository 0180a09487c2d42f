import { expect, test } from 'bun:test'
import { KnownVersion } from '@oriel/protocol/known-version'
import fc from 'fast-check'
import * as v from 'valibot'
import { Catalog } from './catalog.ts'

const known = (name: string, description = '', owner = 'nobody') =>
  v.parse(KnownVersion, {
    name,
    version: '1',
    description,
    owner,
    engine: 'tensor',
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }],
    limits: { timeoutMs: 1_000, maxBatch: 1, concurrency: 1 },
  })

function pagesOf(catalog: Catalog, limit: number, q?: string): string[] {
  const names: string[] = []
  for (let after: string | undefined; ; after = names.at(-1)) {
    const { offers, more } = catalog.page({ q, after, limit }, 0)
    expect(offers.length).toBeLessThanOrEqual(limit)
    names.push(...offers.map(({ manifest }) => manifest.name))
    if (!more) return names
  }
}

test('pages joined are every model, each once, by name', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,5}$/)
  fc.assert(
    fc.property(fc.uniqueArray(name), fc.integer({ min: 1, max: 7 }), (all, limit) => {
      const catalog = new Catalog()
      for (const one of all) catalog.putManifest(`${one}.1`, known(one))
      expect(pagesOf(catalog, limit)).toEqual([...all].sort())
    }),
  )
})

test('all words have to be there, in the name, the description or who answers for it', () => {
  const catalog = new Catalog()
  catalog.putManifest('iris.1', known('iris', 'Kinds of flowers.', 'Botany'))
  catalog.putManifest('roses.1', known('roses', 'Kinds of roses.', 'garden'))
  expect(pagesOf(catalog, 1, 'kinds')).toEqual(['iris', 'roses'])
  expect(pagesOf(catalog, 10, 'KINDS botany')).toEqual(['iris'])
  expect(pagesOf(catalog, 10, 'kinds zoo')).toEqual([])
})
