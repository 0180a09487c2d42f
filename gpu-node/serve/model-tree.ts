import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ModelName, ModelVersion } from '@oriel/protocol/manifest'
import * as v from 'valibot'
import { folders, MANIFEST } from '../model-folder.ts'

/** A version as it lies on disk, before anything in it was read. */
export interface TreeVersion {
  readonly name: string
  readonly version: string
  readonly dir: string
  /** `neither`: there is nothing here that can be served. */
  readonly kind: 'manifest' | 'graph' | 'neither'
  /** Changes when any of its files does. */
  readonly stamp: string
  /** What Triton's config.pbtxt says of it, if there is one. */
  readonly maxBatch: number | undefined
}

export interface ModelTree {
  readonly versions: readonly TreeVersion[]
  /** What looks like a model and is in the wrong place, and what was passed over. */
  readonly notes: readonly string[]
}

export const GRAPH = 'model.onnx'
const TRITON = 'config.pbtxt'

/**
 * Every version in the layout `<name>/<version>/model.onnx`, or with a manifest as in the cluster.
 * @param only the one model to look at
 * @throws ProblemError model-unavailable when the folder itself cannot be read
 */
export async function readTree(root: string, only?: string): Promise<ModelTree> {
  const versions: TreeVersion[] = []
  const notes: string[] = []
  const base = resolve(root)
  for (const name of (await folders(base)).filter((folder) => only === undefined || folder === only)) {
    const dir = join(base, name)
    const found = (await folders(dir)).filter((folder) => v.is(ModelVersion, folder))
    if (!v.is(ModelName, name)) {
      if (found.length > 0) notes.push(`${name}: not a name for a model; letters, digits, - and _ are`)
      continue
    }
    const inside = await readdir(dir)
    if (found.length === 0 && inside.some((file) => file.endsWith('.onnx'))) {
      notes.push(`${name}: has a graph but no version; move it to ${name}/1/${GRAPH}`)
    }
    const maxBatch = inside.includes(TRITON) ? await batchOf(join(dir, TRITON)) : undefined
    if (inside.includes(TRITON)) notes.push(`${name}/${TRITON}: only its max_batch_size is read`)
    for (const version of found) versions.push(await look(join(dir, version), name, version, maxBatch))
  }
  if (only === undefined) {
    const loose = (await readdir(base)).filter((file) => file.endsWith('.onnx'))
    for (const file of loose) notes.push(`${file}: not in a model’s folder; move it to <name>/1/${GRAPH}`)
  }
  return { versions, notes }
}

async function look(dir: string, name: string, version: string, maxBatch: number | undefined): Promise<TreeVersion> {
  const files = (await readdir(dir, { recursive: true })).sort()
  const marks = await Promise.all(
    files.map(async (file) => {
      const found = await stat(join(dir, file)).catch(() => undefined) // it may be on its way out
      return found?.isFile() ? `${file} ${found.size} ${found.mtimeMs}` : ''
    }),
  )
  const kind = files.includes(MANIFEST) ? 'manifest' : files.includes(GRAPH) ? 'graph' : 'neither'
  return { name, version, dir, kind, stamp: `${marks.join('\n')}\n${maxBatch}`, maxBatch }
}

/** 0 is Triton's word for a graph without a batch dimension. */
async function batchOf(path: string): Promise<number | undefined> {
  const found = /^\s*max_batch_size\s*:\s*(\d{1,9})\b/m.exec(await Bun.file(path).text())
  return found ? Number(found[1]) : undefined
}
