/** Where a lease is kept: an entry that ends by itself, and that changes only for who has seen it last. */
export interface LeaseStore {
  /** @returns its revision, `undefined` when somebody has it; throws when the store does not answer */
  take(holder: string): Promise<number | undefined>
  /** @returns its new revision, `undefined` when it is somebody else's or nobody's now */
  renew(holder: string, revision: number): Promise<number | undefined>
  /** Nobody's from now on. */
  release(revision: number): Promise<void>
}

export interface LeaseOptions {
  readonly store: LeaseStore
  readonly holder: string
  /** How long the store keeps an entry that is not written again. */
  readonly ttlMs: number
  /** ms of a clock that goes on while the process is stopped. */
  readonly now: () => number
}

/**
 * The right to do what only one may do.
 *
 *   free ──taken──▶ held ──renewed──▶ held
 *    ▲                └── refused, or not renewed in time ──┐
 *    └──────────────────────────────────────────────────────┘
 *
 * A holder that was stopped for longer than `ttlMs` finds when it wakes that it holds nothing. That is a courtesy: what
 * it would write is refused by the revision that it was read with.
 */
export class Lease {
  readonly #options: LeaseOptions
  #held: { revision: number; until: number } | undefined
  #term = 0

  constructor(options: LeaseOptions) {
    this.#options = options
  }

  /** Whether it is held now, as far as can be known here. */
  get isHeld(): boolean {
    return this.#held !== undefined && this.#options.now() < this.#held.until
  }

  /** The revision at which it was taken: higher than that of everybody who held it before. */
  get term(): number {
    return this.#term
  }

  /** To be called several times in `ttlMs`: takes the lease, or renews it. Throws when the store does not answer. */
  async keep(): Promise<void> {
    const { store, holder, ttlMs, now } = this.#options
    // Of a moment before the store wrote it, so that ours is over first.
    const until = now() + ttlMs
    if (this.isHeld && this.#held) {
      const revision = await store.renew(holder, this.#held.revision)
      this.#held = revision === undefined ? undefined : { revision, until }
      return
    }
    this.#held = undefined
    const revision = await store.take(holder)
    if (revision === undefined) return
    this.#held = { revision, until }
    this.#term = revision
  }

  async release(): Promise<void> {
    const held = this.#held
    this.#held = undefined
    if (held) await this.#options.store.release(held.revision)
  }
}
