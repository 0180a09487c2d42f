import type { NatsConnection } from '@nats-io/nats-core'
import { Catalog } from './catalog.ts'
import { watchCatalog } from './catalog-watch.ts'

/** The catalog as the buckets of the broker say it now, or said it last. */
export class LiveCatalog {
  #catalog = new Catalog()
  #following: { stop: AbortController; seen: Promise<void> } | undefined

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
    const seen = watchCatalog(connection, next, stop.signal).then(() => {
      if (!stop.signal.aborted) this.#catalog = next
    })
    this.#following = { stop, seen: before ? Promise.resolve() : seen }
    return before !== undefined
  }

  /** Waits for the first catalog, and not longer than `maxMs`. */
  async first(maxMs: number): Promise<void> {
    if (this.#following) await Promise.race([this.#following.seen, scheduler.wait(maxMs)])
  }
}
