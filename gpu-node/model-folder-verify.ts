import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'

/** @throws ProblemError model-damaged: the first file that is missing or not the one that the manifest names */
export async function verifyFiles(dir: string, manifest: Manifest): Promise<void> {
  for (const { path, bytes, sha256 } of manifest.files) {
    const found = await stat(join(dir, path)).catch(() => undefined)
    if (!found?.isFile()) throw damaged(path, 'missing')
    if (found.size !== bytes) throw damaged(path, `${bytes} bytes expected, ${found.size} found`)
    const digest = await sha256Of(join(dir, path))
    if (digest !== sha256) {
      throw damaged(path, `SHA-256 ${sha256.slice(0, 12)}… expected, ${digest.slice(0, 12)}… found`)
    }
  }
}

/** Streamed: a model may be larger than memory. */
export async function sha256Of(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256')
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk)
  return hasher.digest('hex')
}

const damaged = (path: string, what: string) => new ProblemError({ kind: 'model-damaged', detail: `${path}: ${what}.` })
