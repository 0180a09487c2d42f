/** How much is asked of each model: requests in a second, in which what is old counts for less and less. */
export class Volumes {
  readonly #halfLifeMs: number
  readonly #known: Map<string, { weight: number; at: number }>

  constructor(halfLifeMs: number, known: Volumes.Stored = []) {
    this.#halfLifeMs = halfLifeMs
    this.#known = new Map(known.map(([model, weight, at]) => [model, { weight, at }]))
  }

  /** @param at when these requests came, ms since the epoch */
  add(model: string, requests: number, at: number): void {
    const known = this.#known.get(model)
    if (!known) this.#known.set(model, { weight: requests, at })
    else {
      known.weight = known.weight * this.#left(at - known.at) + requests
      known.at = Math.max(at, known.at)
    }
  }

  /** Requests in a second. Where a model is asked evenly it is the rate at which it is. */
  of(model: string, now: number): number {
    const known = this.#known.get(model)
    if (!known) return 0
    return (known.weight * this.#left(now - known.at) * Math.LN2 * 1000) / this.#halfLifeMs
  }

  /** What is worth keeping: a model of which little more is left than nothing is as one that was never asked. */
  stored(now: number): Volumes.Stored {
    for (const [model, { weight, at }] of this.#known)
      if (weight * this.#left(now - at) < 0.01) this.#known.delete(model)
    return [...this.#known].map(([model, { weight, at }]) => [model, weight, at])
  }

  #left(ms: number): number {
    return 0.5 ** (Math.max(0, ms) / this.#halfLifeMs)
  }
}

export namespace Volumes {
  /** By model, its weight and when that was so. */
  export type Stored = [model: string, weight: number, at: number][]
}
