import { type Problem, ProblemError, toProblem } from '@oriel/protocol/problem'
import type { LocalModel } from '../model-runner.ts'
import { Edition } from './edition.ts'
import type { TreeVersion } from './model-tree.ts'

/** What opens versions and lets go of them. */
export interface Shelf {
  /** Read and in memory. @throws ProblemError why it cannot be served */
  bring(found: TreeVersion): Promise<LocalModel>
  /** Called when nothing holds it any more. */
  release(model: LocalModel): Promise<void>
}

/**
 *     found ──used, or loaded──▶ opening ──▶ open ──close──▶ closed
 *       ▲                           └──────▶ failed             │
 *       └─────────────load, or its files changed────────────────┘
 *
 * An open version whose files change goes on as it is until the new edition is in memory; what runs with the old one
 * ends with it.
 */
export type Standing =
  | { readonly mode: 'found' }
  | { readonly mode: 'opening'; readonly opened: Promise<void> }
  | { readonly mode: 'open'; readonly edition: Edition }
  | { readonly mode: 'failed'; readonly problem: Problem }
  | { readonly mode: 'closed' }

/** One version in the folder, and what is served of it. */
export class ServedVersion {
  readonly number: string
  #found: TreeVersion
  #standing: Standing = { mode: 'found' }
  readonly #shelf: Shelf
  readonly #leaving = new Set<Promise<void>>()

  constructor(found: TreeVersion, shelf: Shelf) {
    this.number = found.version
    this.#found = found
    this.#shelf = shelf
  }

  get standing(): Standing {
    return this.#standing
  }

  /** Afterwards it is open or failed, unless somebody closed it meanwhile. One at a time, however many ask. */
  async open(): Promise<void> {
    if (this.#standing.mode === 'found') this.#standing = { mode: 'opening', opened: this.#opening(this.#found) }
    if (this.#standing.mode === 'opening') await this.#standing.opened
  }

  /**
   * The files as they are now. An open version is replaced before this resolves.
   * @throws ProblemError why it cannot be replaced; it is served as it was
   */
  async change(found: TreeVersion): Promise<void> {
    if (found.stamp === this.#found.stamp) return
    if (this.#standing.mode !== 'open') {
      this.#found = found
      if (this.#standing.mode !== 'closed') this.#standing = { mode: 'found' }
      return
    }
    const old = this.#standing.edition
    const edition = new Edition(await this.#shelf.bring(found))
    this.#found = found // only now: what could not be taken up is tried again at the next look
    // It may have been closed meanwhile.
    if (this.#standing.mode !== 'open') return this.#retire(edition)
    this.#standing = { mode: 'open', edition }
    this.#retire(old)
  }

  /** Forgets that it was closed, or why it could not be opened. */
  reset(): void {
    if (this.#standing.mode === 'closed' || this.#standing.mode === 'failed') this.#standing = { mode: 'found' }
  }

  /** It takes no more requests; those that run end. */
  close(): void {
    if (this.#standing.mode === 'open') this.#retire(this.#standing.edition)
    this.#standing = { mode: 'closed' }
  }

  /** Resolves when nothing is on its way out of memory. */
  async settled(): Promise<void> {
    while (this.#leaving.size > 0) await Promise.all(this.#leaving)
  }

  async #opening(found: TreeVersion): Promise<void> {
    const isWanted = () => this.#standing.mode === 'opening' && this.#found === found
    try {
      const edition = new Edition(await this.#shelf.bring(found))
      if (isWanted()) this.#standing = { mode: 'open', edition }
      else this.#retire(edition)
    } catch (error) {
      if (isWanted()) this.#standing = { mode: 'failed', problem: toProblem(error) }
      if (!(error instanceof ProblemError)) throw error
    }
  }

  #retire(edition: Edition): void {
    const gone = edition
      .retire()
      .then(() => this.#shelf.release(edition.model))
      .finally(() => this.#leaving.delete(gone))
    this.#leaving.add(gone)
  }
}
