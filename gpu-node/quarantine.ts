/** A host that is made for one run, and ended with it. */
export interface Cell {
  close(): Promise<void>
}

/** Runs that must be alone in a host, a few at a time: each gets a host of its own, and takes nobody with it. */
export class Quarantine<C extends Cell> {
  readonly #width: number
  readonly #open: () => C
  readonly #cells = new Set<C>()
  readonly #waiting: (() => void)[] = []
  #busy = 0

  /** @param width how many at a time */
  constructor(width: number, open: () => C) {
    this.#width = width
    this.#open = open
  }

  /** Those that are open. */
  get cells(): ReadonlySet<C> {
    return this.#cells
  }

  /**
   * @param signal gives up waiting; `action` sees to itself
   * @returns `undefined` when it was given up
   */
  async run<T>(action: (cell: C) => Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
    if (this.#busy >= this.#width) await new Promise<void>((go) => this.#waiting.push(go))
    else this.#busy++
    try {
      return signal?.aborted ? undefined : await this.#inCell(action)
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#busy--
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#cells].map((cell) => cell.close()))
  }

  async #inCell<T>(action: (cell: C) => Promise<T>): Promise<T> {
    const cell = this.#open()
    this.#cells.add(cell)
    try {
      return await action(cell)
    } finally {
      this.#cells.delete(cell)
      await cell.close()
    }
  }
}
