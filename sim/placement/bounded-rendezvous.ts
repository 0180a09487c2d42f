import { hash } from '../random.ts'
import type { PlacementWay } from './placement-way.ts'

/** A node may have so many times the mean of requests. */
const BOUND = 1.25

/**
 * Rendezvous hashing with bounded loads (after Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded
 * Loads"): a request goes to the first node of its model's own order that has not had far more than the others.
 */
export class BoundedRendezvous implements PlacementWay {
  readonly name = 'rendezvous, bounded'
  moves = 0
  #there: readonly number[] = []
  #orders = new Map<number, readonly number[]>()
  #counts = new Map<number, number>()
  #total = 0

  nodes(there: readonly number[]): void {
    const before = this.#orders
    this.#there = there
    this.#orders = new Map()
    this.tick()
    for (const [model, order] of before) if (this.#order(model)[0] !== order[0]) this.moves++
  }

  tick(): void {
    this.#counts = new Map()
    this.#total = 0
  }

  route(model: number): number {
    const most = (BOUND * (this.#total + 1)) / this.#there.length
    const order = this.#order(model)
    const node = order.find((node) => (this.#counts.get(node) ?? 0) + 1 <= Math.max(1, most)) ?? order[0] ?? 0
    this.#counts.set(node, (this.#counts.get(node) ?? 0) + 1)
    this.#total++
    return node
  }

  #order(model: number): readonly number[] {
    const known = this.#orders.get(model)
    if (known) return known
    const order = this.#there.toSorted((a, b) => hash(model, b) - hash(model, a))
    this.#orders.set(model, order)
    return order
  }
}
