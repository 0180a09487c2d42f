import type { Delivery } from './delivery.ts'

type Verdict = (delivery: Delivery) => void | Promise<void>

/** Every delivery of one job on this node: usually one, more when the broker took the node for dead. One verdict for all. */
export class Deliveries {
  #all: Delivery[]
  #count: number
  #verdict: Verdict | undefined

  constructor(first: Delivery) {
    this.#all = [first]
    this.#count = first.count
  }

  /** How often the job was delivered, here or elsewhere. */
  get count(): number {
    return this.#count
  }

  async add(delivery: Delivery): Promise<void> {
    this.#all.push(delivery)
    this.#count = Math.max(this.#count, delivery.count)
    await this.#verdict?.(delivery)
  }

  /** Where the job is acknowledged, if it was delivered since the last reconnect. */
  ackSubject(epoch: number): string | undefined {
    return this.#all.findLast((delivery) => delivery.epoch === epoch)?.ackSubject
  }

  /** Whether one came before the last reconnect. */
  before(epoch: number): boolean {
    return this.#all.some((delivery) => delivery.epoch < epoch)
  }

  /** The broker has lost its state: what is said of an older delivery would be taken for a word on another job. */
  dropBefore(epoch: number): void {
    this.#all = this.#all.filter((delivery) => delivery.epoch >= epoch)
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
