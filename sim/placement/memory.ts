/** A node's memory: models by when they were last used, the one that was not for longest first. */
export class Memory {
  readonly #capacity: number
  readonly #models = new Map<number, number>()
  #used = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** @returns whether it had to be read from disk */
  use(model: number, bytes: number): boolean {
    const had = this.#models.delete(model)
    if (!had) {
      this.#used += bytes
      for (const [oldest, size] of this.#models) {
        if (this.#used <= this.#capacity) break
        this.#models.delete(oldest)
        this.#used -= size
      }
    }
    this.#models.set(model, bytes)
    return !had
  }

  has(model: number): boolean {
    return this.#models.has(model)
  }

  residents(): Iterable<number> {
    return this.#models.keys()
  }
}
