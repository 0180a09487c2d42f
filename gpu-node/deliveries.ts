import type { Delivery } from './delivery.ts'

type Verdict = (delivery: Delivery) => void | Promise<void>

/** Every delivery of one job on this node: usually one, more when the broker took the node for dead. One verdict for all. */
export class Deliveries {
  readonly #all: Delivery[]
  #verdict: Verdict | undefined

  constructor(first: Delivery) {
    this.#all = [first]
  }

  /** How often the job was delivered, here or elsewhere. */
  get count(): number {
    return Math.max(...this.#all.map(({ count }) => count))
  }

  async add(delivery: Delivery): Promise<void> {
    this.#all.push(delivery)
    await this.#verdict?.(delivery)
  }

  working(): void {
    if (!this.#verdict) for (const delivery of this.#all) delivery.working()
  }

  async settle(verdict: Verdict): Promise<void> {
    this.#verdict = verdict
    await Promise.all(this.#all.map(verdict))
  }

  /** Without a word: whoever else has the job settles it. */
  leave(): Promise<void> {
    return this.settle(() => {})
  }
}
