import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Manifest, ModelName, ModelVersion } from '@oriel/protocol/manifest'
import { pipelineFault } from '@oriel/protocol/pipeline'
import { describeIssues, type Problem, ProblemError, toProblem } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { verifyFiles } from './model-folder-verify.ts'
import type { LocalModel } from './model-runner.ts'

export interface ModelFolder {
  /** Versions whose manifest is right and whose files are those that it names. */
  readonly models: LocalModel[]
  /** Versions that are there but cannot be served. Name and version are well formed; they are the folders'. */
  readonly problems: { readonly name: string; readonly version: string; readonly problem: Problem }[]
  /** Folders with a manifest that no request could ever name, and why. */
  readonly ignored: { readonly path: string; readonly reason: string }[]
}

export const MANIFEST = 'manifest.json'

/**
 * Every `<name>/<version>/manifest.json` under `root`, verified. One bad version does not keep the others away.
 * @throws ProblemError model-unavailable when the folder itself cannot be read
 */
export async function scanModels(root: string): Promise<ModelFolder> {
  const found: ModelFolder = { models: [], problems: [], ignored: [] }
  for (const name of await folders(resolve(root))) {
    for (const version of await folders(join(resolve(root), name))) {
      const dir = join(resolve(root), name, version)
      if (!v.is(ModelName, name) || !v.is(ModelVersion, version)) {
        if (await Bun.file(join(dir, MANIFEST)).exists()) {
          const reason = v.is(ModelName, name)
            ? `"${version}" is not a version number`
            : `"${name}" is not a model name`
          found.ignored.push({ path: join(name, version), reason })
        }
        continue
      }
      try {
        found.models.push(await openVersion(dir, name, version))
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error
        found.problems.push({ name, version, problem: toProblem(error) })
      }
    }
  }
  return found
}

/** @throws ProblemError model-unavailable, model-damaged: what is wrong with the manifest or a file */
export async function openVersion(dir: string, name: string, version: string): Promise<LocalModel> {
  const manifest = await readManifest(dir, name, version)
  await verifyFiles(dir, manifest)
  return { manifest, dir }
}

/** The folders in a folder, by name. @throws ProblemError model-unavailable when it cannot be read */
export async function folders(dir: string): Promise<string[]> {
  const entries = await readdir(dir).catch((cause: unknown) => {
    const detail = `The models folder ${dir} cannot be read.`
    throw new ProblemError({ kind: 'model-unavailable', detail }, { cause })
  })
  const names = entries.filter((name) => !name.startsWith('.'))
  // Through links, as people link a folder in; a link to nowhere is no folder.
  const found = await Promise.all(names.map((name) => stat(join(dir, name)).catch(() => undefined)))
  return names.filter((_, index) => found[index]?.isDirectory()).sort()
}

async function readManifest(dir: string, name: string, version: string): Promise<Manifest> {
  const file = Bun.file(join(dir, MANIFEST))
  if (!(await file.exists())) throw new ProblemError({ kind: 'model-damaged', detail: `${MANIFEST}: missing.` })
  const data: unknown = await file.json().catch((cause: unknown) => {
    throw wrong(`not JSON: ${cause instanceof Error ? cause.message : cause}`)
  })
  const parsed = v.safeParse(Manifest, data)
  if (!parsed.success) throw wrong(describeIssues(parsed.issues))
  const manifest = parsed.output
  if (manifest.name !== name) throw wrong(`name: "${manifest.name}" lies in the folder of "${name}"`)
  if (manifest.version !== version) throw wrong(`version: "${manifest.version}" lies in the folder of "${version}"`)
  const fault = pipelineFault(manifest)
  if (fault) throw new ProblemError({ kind: 'model-unavailable', detail: `${MANIFEST}: ${fault}` })
  return manifest
}

const wrong = (what: string) => new ProblemError({ kind: 'model-unavailable', detail: `${MANIFEST}: ${what}.` })
