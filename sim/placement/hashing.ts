import { hash } from '../random.ts'
import type { PlacementWay } from './placement-way.ts'

/** A model's node follows from its name and from who is there. */
export class Hashing implements PlacementWay {
  readonly name: string
  moves = 0
  readonly #choose: (model: number, there: readonly number[]) => number
  readonly #models: number
  #homes = new Int32Array()

  /** @param models how many there are */
  constructor(name: string, models: number, choose: (model: number, there: readonly number[]) => number) {
    this.name = name
    this.#models = models
    this.#choose = choose
  }

  nodes(there: readonly number[]): void {
    const homes = Int32Array.from({ length: this.#models }, (_, model) => this.#choose(model, there))
    for (const [model, home] of homes.entries()) if ((this.#homes[model] ?? home) !== home) this.moves++
    this.#homes = homes
  }

  tick(): void {}

  route(model: number): number {
    return this.#homes[model] ?? 0
  }
}

/** The remainder of the name's hash by the number of nodes. */
export const plainHashing = (models: number) =>
  new Hashing('plain hashing', models, (model, there) => there[hash(model, 0) % there.length] ?? 0)

/** The node whose hash with the name is the highest (Thaler and Ravishankar): few move when a node comes or goes. */
export const rendezvousHashing = (models: number) =>
  new Hashing('rendezvous hashing', models, (model, there) => {
    let [best, highest] = [0, -1]
    for (const node of there) {
      const value = hash(model, node)
      if (value > highest) [best, highest] = [node, value]
    }
    return best
  })
