import type { CheckAnswer } from '@oriel/protocol/check'
import type { KnownVersion } from '@oriel/protocol/known-version'
import type { Manifest } from '@oriel/protocol/manifest'
import type { Log } from './log.ts'
import { type Changes, changesOf } from './projection.ts'
import type { RegisteredVersions } from './registered.ts'

/** Between two looks at everything, which mends whatever went another way. */
const WHOLE_MS = 60_000
/** How far each look goes back: a change may show only when its transaction ends. */
const LATELY_S = 30
/** A version whose check came to nothing waits this long for the next. */
const AGAIN_MS = 5_000

export interface RegistrarOptions {
  readonly versions: Pick<RegisteredVersions, 'changed' | 'toCheck' | 'settle' | 'tried'>
  readonly bucket: () => Promise<{ read(): Promise<Map<string, KnownVersion>>; apply(changes: Changes): Promise<void> }>
  /** Has a node check it; `undefined` when none answers. */
  readonly check: (manifest: Manifest) => Promise<CheckAnswer | undefined>
  readonly now: () => number
  readonly log: Log
}

/**
 * Takes registered versions from their last file to the bucket, where relays and nodes find them, and out of it again.
 *
 *   uploading ──all files stored──▶ checking ──a node opened it──▶ ready: in the bucket ──▶ deleted: not any more
 *                                      └──the graph is no good, or nobody could tell for hours──▶ refused
 *
 * Each step may be done twice, by two recorders or after a crash, and is done once.
 */
export class Registrar {
  readonly #options: RegistrarOptions
  readonly #checks = new Map<string, { until: number | undefined }>()
  /** What the bucket has; `undefined`: to be read. */
  #found: Map<string, KnownVersion> | undefined
  #wholeAt = Number.NEGATIVE_INFINITY

  constructor(options: RegistrarOptions) {
    this.#options = options
  }

  /** The broker came back, perhaps without its state: the bucket is looked at as a whole. */
  forget(): void {
    this.#found = undefined
  }

  /** To be called every second or so. @throws when the database or the broker is away */
  async look(): Promise<void> {
    await this.#project()
    for (const manifest of await this.#options.versions.toCheck()) this.#begin(manifest)
  }

  async #project(): Promise<void> {
    const { versions, bucket, now, log } = this.#options
    const at = now()
    const whole = this.#found === undefined || at - this.#wholeAt >= WHOLE_MS
    const wanted = await versions.changed(whole ? undefined : { seconds: LATELY_S })
    const store = await bucket()
    if (whole) this.#found = await store.read()
    const found = this.#found ?? new Map<string, KnownVersion>()
    const changes = changesOf(wanted, found, whole)
    try {
      await store.apply(changes)
    } catch (error) {
      this.#found = undefined // who knows how far it came
      throw error
    }
    note(found, changes)
    if (whole) this.#wholeAt = at
    for (const { key } of changes.put) log('info', 'a version is offered', { version: key })
    for (const key of changes.drop) log('info', 'a version is offered no more', { version: key })
  }

  #begin(manifest: Manifest): void {
    const { now } = this.#options
    const key = `${manifest.name}.${manifest.version}`
    const known = this.#checks.get(key)
    if (known && (known.until === undefined || known.until > now())) return
    this.#checks.set(key, { until: undefined })
    void this.#check(manifest, key)
  }

  async #check(manifest: Manifest, key: string): Promise<void> {
    const { check, versions, now, log } = this.#options
    try {
      const answer = await check(manifest)
      if (answer?.kind === 'fit' || answer?.kind === 'unfit') {
        await versions.settle(manifest, answer)
        this.#checks.delete(key)
        log('info', 'a version was checked', { version: key, ...answer, manifest: undefined })
        return
      }
      const why = answer?.kind === 'unable' ? answer.problem : undefined
      log('warn', 'a version could not be checked yet', { version: key, why: why ?? 'no node answers' })
      await versions.tried(manifest, why)
    } catch (error) {
      log('warn', 'a version could not be checked yet', { version: key, error: String(error) })
    }
    this.#checks.set(key, { until: now() + AGAIN_MS })
  }
}

function note(found: Map<string, KnownVersion>, { put, drop }: Changes): void {
  for (const { key, known } of put) found.set(key, known)
  for (const key of drop) found.delete(key)
}
