import { type Problem, ProblemError, toProblem } from '@oriel/protocol/problem'
import type { LocalModel } from '../model-runner.ts'
import type { Edition } from './edition.ts'
import type { ModelTree, TreeVersion } from './model-tree.ts'
import { ServedVersion, type Shelf } from './served-version.ts'

export interface RepositoryOptions {
  /** @param only the one model to look at */
  readonly readTree: (only?: string) => Promise<ModelTree>
  readonly shelf: Shelf
}

export interface Listed {
  readonly name: string
  readonly version: string
  /** `ready` also when it will be loaded by the first request. */
  readonly state: 'ready' | 'loading' | 'unavailable'
  /** Why it is not available, else empty. */
  readonly reason: string
  /** Of one that is open. */
  readonly model?: LocalModel
}

/** The models of a folder: which there are, and which version takes a request that names none. */
export class ModelRepository {
  readonly #options: RepositoryOptions
  /** Of each model its versions, the highest first. */
  readonly #models = new Map<string, ServedVersion[]>()
  /** Those whose files are gone. */
  readonly #removed = new Set<ServedVersion>()
  #changes: Promise<unknown> = Promise.resolve()

  constructor(options: RepositoryOptions) {
    this.#options = options
  }

  /**
   * A version to predict with, which the caller releases. Without a number it is the highest that can be served.
   * @throws ProblemError model-not-found, or why it cannot be served
   */
  borrow(name: string, number?: string): Edition | Promise<Edition> {
    const { standing } = this.#pick(name, number)
    return standing.mode === 'open' ? standing.edition.take() : this.#borrowLater(name, number)
  }

  /** Whether a request would be taken. @throws ProblemError model-not-found */
  isReady(name: string, number?: string): boolean {
    const { mode } = this.#pick(name, number).standing
    return mode === 'open' || mode === 'found'
  }

  /** The versions that a request may name, the lowest first. @throws ProblemError model-not-found */
  versions(name: string): string[] {
    return this.#versions(name)
      .filter(isServed)
      .map(({ number }) => number)
      .reverse()
  }

  list(): Listed[] {
    return [...this.#models].flatMap(([name, versions]) =>
      versions.map(({ number, standing }) => ({
        name,
        version: number,
        ...STATES[standing.mode],
        ...detailsOf(standing),
      })),
    )
  }

  /**
   * Brings the list up to date with the folder, and what is open with its files.
   * @returns what a person should know of the folder
   * @throws ProblemError model-unavailable: the folder cannot be read; everything is as it was
   */
  refresh(): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      const { versions, notes } = await this.#options.readTree()
      const byName = Map.groupBy(versions, ({ name }) => name)
      const names = new Set([...this.#models.keys(), ...byName.keys()])
      await Promise.all([...names].map((name) => this.#update(name, byName.get(name) ?? [])))
      return notes
    })
  }

  /** Opens the highest version of every model. Those that cannot be are listed with their reason. */
  async openAll(): Promise<void> {
    await Promise.all([...this.#models.values()].map(([highest]) => highest?.open()))
  }

  /**
   * Looks at a model's folder anew and opens its highest version; the others are opened when they are used.
   * @throws ProblemError model-not-found, or why it cannot be served; what was open then still is
   */
  load(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const { versions } = await this.#options.readTree(name)
      for (const version of this.#models.get(name) ?? []) version.reset()
      const problems = await this.#update(name, versions)
      const [highest] = this.#versions(name)
      await highest?.open()
      const problem =
        highest?.standing.mode === 'failed' ? highest.standing.problem : problems.get(highest?.number ?? '')
      if (problem) throw new ProblemError(problem)
    })
  }

  /** Takes no more requests for any version of a model; those that run end. @throws ProblemError model-not-found */
  unload(name: string): void {
    for (const version of this.#versions(name)) version.close()
  }

  /** Resolves when nothing is on its way out of memory. */
  async settled(): Promise<void> {
    await Promise.all([...this.#removed, ...[...this.#models.values()].flat()].map((version) => version.settled()))
  }

  async #borrowLater(name: string, number: string | undefined): Promise<Edition> {
    for (;;) {
      // Looked up again each time: while it was opened it may have been closed, or overtaken by a higher one.
      const version = this.#pick(name, number)
      const { standing } = version
      if (standing.mode === 'open') return standing.edition.take()
      if (standing.mode === 'failed') throw new ProblemError(standing.problem)
      await version.open()
    }
  }

  #versions(name: string): ServedVersion[] {
    const versions = this.#models.get(name)
    if (versions) return versions
    throw notFound(`There is no model ${name} here.`)
  }

  #pick(name: string, number: string | undefined): ServedVersion {
    const versions = this.#versions(name)
    const [highest] = versions
    if (number !== undefined) {
      const named = versions.find((version) => version.number === number)
      if (named && named.standing.mode !== 'closed') return named
      throw notFound(`There is no version ${number} of ${name} here.`)
    }
    // One that cannot be served leaves its requests to the one below it; and so does one while it is opened.
    const chosen = versions.find(isServed) ?? highest
    if (!chosen || chosen.standing.mode === 'closed') throw notFound(`The model ${name} is not loaded.`)
    if (chosen.standing.mode === 'open') return chosen
    const below = versions.find(({ standing }) => standing.mode === 'open')
    if (below) void chosen.open()
    return below ?? chosen
  }

  /** @returns by version, why what is open could not be replaced by what is on disk now */
  async #update(name: string, onDisk: readonly TreeVersion[]): Promise<Map<string, Problem>> {
    const known = new Map((this.#models.get(name) ?? []).map((version) => [version.number, version]))
    const present = onDisk.map((found) => known.get(found.version) ?? new ServedVersion(found, this.#options.shelf))
    present.sort((a, b) => Number(b.number) - Number(a.number))
    if (present.length > 0) this.#models.set(name, present)
    else this.#models.delete(name)
    for (const version of known.values()) if (!present.includes(version)) this.#remove(version)
    const problems = new Map<string, Problem>()
    for (const found of onDisk) {
      await known
        .get(found.version)
        ?.change(found)
        .catch((error) => problems.set(found.version, toProblem(error)))
    }
    return problems
  }

  #remove(version: ServedVersion): void {
    version.close()
    this.#removed.add(version)
    void version.settled().finally(() => this.#removed.delete(version))
  }

  /** Looks at the folder come one after the other, so that none undoes what a later one saw. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#changes.then(action)
    this.#changes = turn.catch(() => {})
    return turn
  }
}

const STATES = {
  found: { state: 'ready', reason: '' },
  open: { state: 'ready', reason: '' },
  opening: { state: 'loading', reason: '' },
  failed: { state: 'unavailable', reason: '' },
  closed: { state: 'unavailable', reason: 'unloaded' },
} as const

const detailsOf = (standing: ServedVersion['standing']) => {
  if (standing.mode === 'open') return { model: standing.edition.model }
  return standing.mode === 'failed' ? { reason: standing.problem.detail } : {}
}

const isServed = ({ standing: { mode } }: ServedVersion) => mode !== 'failed' && mode !== 'closed'

const notFound = (detail: string) => new ProblemError({ kind: 'model-not-found', detail })
