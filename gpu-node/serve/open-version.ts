import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import { deriveManifest } from '../derived-manifest.ts'
import type { GraphSignature } from '../graph-signature.ts'
import { MANIFEST, openVersion as openWithManifest } from '../model-folder.ts'
import { sha256Of } from '../model-folder-verify.ts'
import type { LocalModel } from '../model-runner.ts'
import { GRAPH, type TreeVersion } from './model-tree.ts'

export interface Opening {
  readonly inspect: (file: string) => Promise<GraphSignature>
  /** Rows in one run, of graphs whose folder does not say. */
  readonly maxBatch: number
  readonly timeoutMs: number
  readonly hangMs?: number
}

/**
 * A version as it can be served: by its manifest, or by what its graph says.
 * @throws ProblemError model-unavailable, model-damaged: why it cannot
 */
export async function openVersion(found: TreeVersion, { inspect, maxBatch, ...limits }: Opening): Promise<LocalModel> {
  const { kind, name, version, dir } = found
  switch (kind) {
    case 'manifest':
      return openWithManifest(dir, name, version)
    case 'graph': {
      const signature = await inspect(join(dir, GRAPH))
      const files = await filesOf(dir)
      const rows = found.maxBatch ?? maxBatch
      return { manifest: deriveManifest({ name, version, files, signature, maxBatch: rows, ...limits }), dir }
    }
    case 'neither': {
      const detail = `There is neither ${GRAPH} nor ${MANIFEST} in ${name}/${version}.`
      throw new ProblemError({ kind: 'model-unavailable', detail })
    }
  }
}

/** A graph may keep its weights in files of their own beside it. */
async function filesOf(dir: string): Promise<Manifest['files']> {
  const files: Manifest['files'] = []
  for (const path of (await readdir(dir, { recursive: true })).sort()) {
    const found = await stat(join(dir, path))
    if (found.isFile()) files.push({ path, bytes: found.size, sha256: await sha256Of(join(dir, path)) })
  }
  return files
}
