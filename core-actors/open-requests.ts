/** How long after its deadline a request that never told of its end still counts as under way. */
const OVERDUE_MS = 10_000
const SWEEP_MS = 1_000

interface OpenRequest {
  /** ms since the epoch */
  readonly deadlineAt: number
  /** That it came with, if that has limits. */
  readonly key?: string | undefined
}

/**
 * What a user has under way. The word that a request has ended can be lost, so nothing counts for ever: past its
 * deadline a request has ended, whoever did not say so.
 */
export class OpenRequests {
  readonly #requests = new Map<string, OpenRequest>()
  /** How many came with each key that has limits. */
  readonly #ofKeys = new Map<string, number>()
  #sweepAt = 0

  has(id: string): boolean {
    return this.#requests.has(id)
  }

  add(id: string, deadlineAt: number, key?: string): void {
    this.remove(id)
    this.#requests.set(id, { deadlineAt, key })
    if (key !== undefined) this.#ofKeys.set(key, this.sizeOf(key) + 1)
  }

  remove(id: string): void {
    const key = this.#requests.get(id)?.key
    this.#requests.delete(id)
    if (key === undefined) return
    const left = this.sizeOf(key) - 1
    if (left > 0) this.#ofKeys.set(key, left)
    else this.#ofKeys.delete(key)
  }

  /** How many there are, when it need not be exact: what is overdue may count a second longer. */
  get size(): number {
    return this.#requests.size
  }

  /** Those that came with a key. */
  sizeOf(key: string): number {
    return this.#ofKeys.get(key) ?? 0
  }

  /** Leaves out what is overdue. Looks at all only once a second, or when `limit` is reached. @returns what it left out */
  sweep(now: number, limit: number): string[] {
    if (now < this.#sweepAt && this.size < limit) return []
    this.#sweepAt = now + SWEEP_MS
    const overdue = [...this.#requests].flatMap(([id, { deadlineAt }]) => (deadlineAt + OVERDUE_MS <= now ? [id] : []))
    for (const id of overdue) this.remove(id)
    return overdue
  }
}
