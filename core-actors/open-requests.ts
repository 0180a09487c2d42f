/** How long after its deadline a request that never told of its end still counts as under way. */
const OVERDUE_MS = 10_000
const SWEEP_MS = 1_000

/**
 * What a user has under way. The word that a request has ended can be lost, so nothing counts for ever: past its
 * deadline a request has ended, whoever did not say so.
 */
export class OpenRequests {
  readonly #deadlines: Map<string, number>
  #sweepAt = 0

  /** @param deadlines ms since the epoch, by id */
  constructor(deadlines: Iterable<readonly [string, number]> = []) {
    this.#deadlines = new Map(deadlines)
  }

  has(id: string): boolean {
    return this.#deadlines.has(id)
  }

  add(id: string, deadlineAt: number): void {
    this.#deadlines.set(id, deadlineAt)
  }

  remove(id: string): void {
    this.#deadlines.delete(id)
  }

  /** How many there are, when it need not be exact: what is overdue may count a second longer. */
  get size(): number {
    return this.#deadlines.size
  }

  /** Leaves out what is overdue. Looks at all only once a second, or when `limit` is reached. @returns what it left out */
  sweep(now: number, limit: number): string[] {
    if (now < this.#sweepAt && this.size < limit) return []
    this.#sweepAt = now + SWEEP_MS
    const overdue = [...this.#deadlines].flatMap(([id, at]) => (at + OVERDUE_MS <= now ? [id] : []))
    for (const id of overdue) this.#deadlines.delete(id)
    return overdue
  }
}
