import type { LeaseStore } from '../lease.ts'

/** A lease store with a clock that tests move: an entry ends `ttlMs` after it was last written. */
export class MemoryLeaseStore implements LeaseStore {
  now = 0
  readonly #ttlMs: number
  #revision = 0
  #entry: { holder: string; revision: number; until: number } | undefined

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs
  }

  get holder(): string | undefined {
    return this.#entry && this.now < this.#entry.until ? this.#entry.holder : undefined
  }

  async take(holder: string): Promise<number | undefined> {
    return this.holder === undefined ? this.#write(holder) : undefined
  }

  async renew(holder: string, revision: number): Promise<number | undefined> {
    return this.holder !== undefined && this.#entry?.revision === revision ? this.#write(holder) : undefined
  }

  async release(revision: number): Promise<void> {
    if (this.#entry?.revision === revision) this.#entry = undefined
  }

  #write(holder: string): number {
    this.#entry = { holder, revision: ++this.#revision, until: this.now + this.#ttlMs }
    return this.#revision
  }
}
