import { link, mkdir, readdir, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Sha256 } from '@oriel/protocol/artifact'
import type { Manifest } from '@oriel/protocol/manifest'
import { type Problem, ProblemError } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { BystanderError } from '../bystander-error.ts'
import type { Logger } from '../logger.ts'
import { sha256Of } from '../model-folder-verify.ts'
import { pause } from '../retry.ts'
import type { ArtifactSource } from './artifact-source.ts'
import { DiskBudget } from './disk-budget.ts'
import { type Artifact, fetchArtifact, SourceAway } from './fetch-artifact.ts'

/** A source that is away is asked again after these; then whoever waits may try elsewhere. ms */
const AGAIN_MS = [200, 500, 1_000, 2_000, 4_000, 8_000]

export interface ArtifactCacheOptions {
  /** Nobody else's. */
  readonly dir: string
  readonly maxBytes: number
  readonly source: ArtifactSource
  readonly logger: Logger
}

/**
 * Files of registered models on this node's disk, each once, however many versions have it.
 *
 *     blobs/<sha256>                      the files
 *     models/<name>/<version>/<path>      versions, of links to them
 *
 *     absent ──hold──▶ coming ──verified──▶ there ──used longest ago, and room is wanted──▶ absent
 *                        └──not the right one──▶ absent
 */
export class ArtifactCache {
  readonly #options: ArtifactCacheOptions
  readonly #budget: DiskBudget
  /** Read, and found to be what they should be, in the life of this process. */
  readonly #verified = new Set<string>()
  readonly #coming = new Map<string, Promise<void>>()
  /** The files that each version is linked to. */
  readonly #linked = new Map<string, readonly string[]>()
  #drafts = 0

  /** Takes up what an earlier process left, the oldest use first. */
  static async open(options: ArtifactCacheOptions): Promise<ArtifactCache> {
    const cache = new ArtifactCache({ ...options, dir: resolve(options.dir) })
    await cache.#takeUp()
    return cache
  }

  private constructor(options: ArtifactCacheOptions) {
    this.#options = options
    this.#budget = new DiskBudget(options.maxBytes)
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#budget.bytes
  }

  /** Where the files of a version are while it is held. */
  dirOf({ name, version }: Pick<Manifest, 'name' | 'version'>): string {
    return join(this.#options.dir, 'models', name, version)
  }

  /**
   * Brings the files of a version to the disk and keeps them there until the answer is called.
   * @throws ProblemError model-damaged, model-unavailable; BystanderError when the source is away
   */
  async hold(manifest: Manifest): Promise<() => void> {
    const files = new Map(manifest.files.map((file) => [file.sha256, file]))
    const releases = [...files.keys()].map((sha256) => this.#budget.hold(sha256))
    const release = () => {
      for (const one of releases) one()
    }
    try {
      for (const file of files.values()) await this.#once(file.sha256, () => this.#bring(file))
      await this.#once(this.dirOf(manifest), () => this.#link(manifest))
      return release
    } catch (error) {
      release()
      throw error
    }
  }

  /** However many want it at a time. */
  async #once(what: string, work: () => Promise<void>): Promise<void> {
    const known = this.#coming.get(what)
    if (known) return known
    const coming = work().finally(() => this.#coming.delete(what))
    this.#coming.set(what, coming)
    return coming
  }

  async #bring(file: Artifact): Promise<void> {
    const { sha256 } = file
    const path = this.#blob(sha256)
    const there = this.#budget.bytesOf(sha256)
    if (there !== undefined && (await this.#isWhole(sha256, there, path))) {
      if (there !== file.bytes) throw mistaken(file, there)
      this.#budget.used(sha256)
      const now = new Date()
      await utimes(path, now, now) // the order survives this process
      return
    }
    await this.#remove(sha256)
    const going = this.#budget.reserve(sha256, file.bytes)
    if (!going) throw this.#noRoom(file)
    try {
      for (const other of going) await this.#remove(other)
      await this.#fetch(file, path)
      this.#verified.add(sha256)
    } catch (error) {
      this.#budget.forget(sha256)
      throw problemOf(error)
    }
  }

  /** @param bytes as it was fetched or found: a manifest may be wrong, and other versions have the file too */
  async #isWhole(sha256: string, bytes: number, path: string): Promise<boolean> {
    const found = await stat(path).catch(() => undefined)
    if (found?.size !== bytes) return false
    if (!this.#verified.has(sha256) && (await sha256Of(path)) !== sha256) {
      this.#options.logger.warn('a file of the cache is damaged and is fetched again', { sha256 })
      return false
    }
    this.#verified.add(sha256)
    return true
  }

  async #fetch(file: Artifact, path: string): Promise<void> {
    const { dir, source, logger } = this.#options
    const draft = join(dir, 'coming', String(++this.#drafts))
    for (let tries = 0; ; tries++) {
      try {
        await fetchArtifact(source, file, draft, path)
        logger.info('an artifact was fetched', { ...file })
        return
      } catch (error) {
        const againMs = AGAIN_MS[tries]
        if (!(error instanceof SourceAway) || againMs === undefined) throw error
        logger.warn('an artifact could not be fetched yet', { sha256: file.sha256, detail: error.message })
        await pause(againMs)
      }
    }
  }

  async #link(manifest: Manifest): Promise<void> {
    const dir = this.dirOf(manifest)
    if (this.#linked.has(dir)) return
    await rm(dir, { recursive: true, force: true })
    for (const { path, sha256 } of manifest.files) {
      await mkdir(dirname(join(dir, path)), { recursive: true })
      await link(this.#blob(sha256), join(dir, path))
    }
    this.#linked.set(
      dir,
      manifest.files.map(({ sha256 }) => sha256),
    )
  }

  /** With the versions that link to it, or its bytes would stay. */
  async #remove(sha256: string): Promise<void> {
    this.#verified.delete(sha256)
    for (const [dir, files] of this.#linked) {
      if (!files.includes(sha256)) continue
      this.#linked.delete(dir)
      await rm(dir, { recursive: true, force: true })
    }
    await rm(this.#blob(sha256), { force: true })
  }

  #noRoom({ bytes }: Artifact): ProblemError {
    const { maxBytes } = this.#options
    const detail = `A file of ${bytes} bytes does not fit into the node's cache of ${maxBytes}, ORIEL_CACHE_BYTES.`
    if (bytes > maxBytes) return new ProblemError({ kind: 'model-unavailable', detail })
    return away('The cache of the node is full of models that are being loaded.')
  }

  #blob(sha256: string): string {
    return join(this.#options.dir, 'blobs', sha256)
  }

  async #takeUp(): Promise<void> {
    const { dir } = this.#options
    for (const folder of ['models', 'coming']) await rm(join(dir, folder), { recursive: true, force: true })
    for (const folder of ['models', 'coming', 'blobs']) await mkdir(join(dir, folder), { recursive: true })
    const names = (await readdir(join(dir, 'blobs'))).filter((name) => v.is(Sha256, name))
    const found = await Promise.all(names.map(async (sha256) => ({ sha256, ...(await statOf(this.#blob(sha256))) })))
    for (const { sha256, bytes } of found.sort((a, b) => a.usedAt - b.usedAt)) {
      const going = this.#budget.reserve(sha256, bytes)
      for (const other of going ?? [sha256]) await this.#remove(other)
    }
  }
}

async function statOf(path: string) {
  const { size, mtimeMs } = await stat(path)
  return { bytes: size, usedAt: mtimeMs }
}

const mistaken = ({ sha256, bytes }: Artifact, there: number) =>
  new ProblemError({
    kind: 'model-damaged',
    detail: `The artifact ${sha256.slice(0, 12)}… has ${there} bytes; the manifest says ${bytes}.`,
  })

/** The request that waits for it has no part in it. */
const away = (detail: string) => new BystanderError({ kind: 'unavailable', detail }, false)

function problemOf(error: unknown): unknown {
  if (error instanceof SourceAway) return away('The files of the model cannot be fetched now.')
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  const problem: Problem = { kind: 'model-unavailable', detail: 'The disk of the node is full.' }
  return new ProblemError(problem, { cause: error })
}
