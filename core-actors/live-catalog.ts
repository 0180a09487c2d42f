import type { NatsConnection } from '@nats-io/nats-core'
import { Catalog } from './catalog.ts'
import { watchCatalog } from './catalog-watch.ts'

/** The catalog as the buckets of the broker say it now, or said it last. */
export class LiveCatalog {
  readonly #watch: typeof watchCatalog
  readonly #wait: (ms: number) => Promise<unknown>
  #catalog = new Catalog()
  #following: { stop: AbortController; seen: Promise<void> } | undefined
  #isThere = false
  /** One wait for all who wait: each call of a relay comes by here, and a relay can have 10,000 timers. */
  #patience: Promise<unknown> | undefined

  constructor(watch = watchCatalog, wait = (ms: number): Promise<unknown> => scheduler.wait(ms)) {
    this.#watch = watch
    this.#wait = wait
  }

  get now(): Catalog {
    return this.#catalog
  }

  /**
   * Follows the buckets of a broker that is there (again). The client does not renew watches of a broker that has lost
   * its state: they start afresh. Until they have seen everything the old catalog stands.
   * @returns false the first time
   */
  follow(connection: NatsConnection): boolean {
    const before = this.#following
    before?.stop.abort()
    const stop = new AbortController()
    const next = new Catalog()
    const seen = this.#watch(connection, next, stop.signal).then(() => {
      this.#isThere = true
      if (!stop.signal.aborted) this.#catalog = next
    })
    this.#isThere ||= before !== undefined
    this.#following = { stop, seen }
    return before !== undefined
  }

  /** Waits for the first catalog, and not longer than until `maxMs` after the first who waited. */
  async first(maxMs: number): Promise<void> {
    if (this.#isThere || !this.#following) return
    this.#patience ??= Promise.race([this.#following.seen, this.#wait(maxMs)])
    await this.#patience
  }
}
