import type { NatsConnection } from '@nats-io/nats-core'
import { Catalog } from './catalog.ts'
import { watchCatalog } from './catalog-watch.ts'

/** The catalog as the buckets of the broker say it now, or said it last. */
export class LiveCatalog {
  readonly #watch: typeof watchCatalog
  readonly #wait: (ms: number) => Promise<unknown>
  #catalog = new Catalog()
  #following: AbortController | undefined
  #isThere = false
  readonly #seen = Promise.withResolvers<void>()
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
    before?.abort()
    const stop = new AbortController()
    this.#following = stop
    const next = new Catalog()
    void this.#watch(connection, next, stop.signal, this.#wait).then(() => {
      if (stop.signal.aborted) return // it has not seen everything
      this.#catalog = next
      this.#isThere = true
      this.#seen.resolve()
    })
    this.#patience = undefined
    return before !== undefined
  }

  /**
   * Waits for the first catalog, and not longer than until `maxMs` after the first who waited since the broker came.
   * @returns whether there is one: without it no model is known, which is not to say that there is none
   */
  async first(maxMs: number): Promise<boolean> {
    if (this.#isThere || !this.#following) return this.#isThere
    this.#patience ??= Promise.race([this.#seen.promise, this.#wait(maxMs)])
    await this.#patience
    return this.#isThere
  }
}
