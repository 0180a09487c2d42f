/** What many share and each takes of as it needs; past `max` it is spent, and they make do with less. */
export class Budget {
  readonly #max: number
  #used = 0

  constructor(max: number) {
    this.#max = max
  }

  get used(): number {
    return this.#used
  }

  get spent(): boolean {
    return this.#used >= this.#max
  }

  /** @param amount below 0: gives back */
  take(amount: number): void {
    this.#used += amount
  }
}
