/** Lets so many through at a time; the others wait for their turn, in the order in which they came. */
export class Gate {
  readonly #max: number
  readonly #waiting: (() => void)[] = []
  #inside = 0

  constructor(max: number) {
    this.#max = max
  }

  async through<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside < this.#max) this.#inside += 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      // The place goes from hand to hand, so that nobody slips in between.
      if (next) next()
      else this.#inside -= 1
    }
  }
}
