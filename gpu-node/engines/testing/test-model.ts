import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Manifest, type ManifestInput } from '@oriel/protocol/manifest'
import * as v from 'valibot'
import type { LocalModel } from '../../model-runner.ts'

/** A model's folder under `root`, with a manifest that is true of the files. */
export function writeModel(
  root: string,
  fields: Partial<ManifestInput> & Pick<ManifestInput, 'engine'>,
  files: Record<string, Uint8Array | string>,
): LocalModel {
  const input: ManifestInput = {
    name: 'tested',
    version: '1',
    limits: { timeoutMs: 10_000, maxBatch: 1, concurrency: 8 },
    ...fields,
    files: Object.entries(files).map(([path, data]) => ({
      path,
      sha256: new Bun.CryptoHasher('sha256').update(data).digest('hex'),
      bytes: Buffer.byteLength(data),
    })),
  }
  const dir = join(root, input.name, input.version)
  for (const [path, data] of Object.entries({ ...files, 'manifest.json': JSON.stringify(input, null, 2) })) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), data)
  }
  return { manifest: v.parse(Manifest, input), dir }
}
