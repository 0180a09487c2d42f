/**
 * Which host has which model.
 *
 *     absent ──acquire──▶ loading ──loaded──▶ resident ──drop──▶ absent
 *                            └─────failed────▶ absent
 *
 * A model is loaded once, however many ask for it at a time, and then kept for as long as its host lives.
 */
export class Residency<Host> {
  readonly #entries = new Map<string, { host: Host; mode: 'loading' | 'resident'; loaded: Promise<void> }>()

  /**
   * The host that has the model in memory, after loading it if need be.
   * @param choose the host for a model that none has
   * @throws what `load` threw, to everyone who waited for it; the next to ask tries again
   */
  async acquire(model: string, choose: () => Host, load: (host: Host) => Promise<void>): Promise<Host> {
    const known = this.#entries.get(model)
    if (known) {
      await known.loaded
      return known.host
    }
    const host = choose()
    const entry = { host, mode: 'loading' as 'loading' | 'resident', loaded: load(host) }
    this.#entries.set(model, entry)
    try {
      await entry.loaded
      entry.mode = 'resident'
    } catch (error) {
      // After a drop the entry may be that of a later load.
      if (this.#entries.get(model) === entry) this.#entries.delete(model)
      throw error
    }
    return host
  }

  isResident(model: string, host: Host): boolean {
    const entry = this.#entries.get(model)
    return entry?.host === host && entry.mode === 'resident'
  }

  /** Nobody has the model any more. @returns who had it, after it was loaded */
  async forget(model: string): Promise<Host | undefined> {
    const entry = this.#entries.get(model)
    await entry?.loaded.catch(() => {}) // whoever asked for it has the error
    // While it was loaded it may have been lost with its host.
    if (!entry || this.#entries.get(model) !== entry) return undefined
    this.#entries.delete(model)
    return entry.host
  }

  /** The host is gone, and with it what it had or was loading. */
  drop(host: Host): void {
    for (const [model, entry] of this.#entries) if (entry.host === host) this.#entries.delete(model)
  }

  /** The models that a host has in memory. */
  residents(host: Host): string[] {
    return [...this.#entries.keys()].filter((model) => this.isResident(model, host))
  }

  /** How many models a host has in memory or is loading. */
  load(host: Host): number {
    return [...this.#entries.values()].filter((entry) => entry.host === host).length
  }
}
