/**
 * Calls of the broker: so many at a time, the others in turn, and none waits for an answer over a connection that is
 * lost. Each call has a timer of the client library, of which an object can have 10,000.
 */
export class Calls {
  readonly #max: number
  /** Those that are not settled, under way or waiting. */
  #unsettled = new Set<(error: Error) => void>()
  #waiting: (() => void)[] = []
  #underWay = 0

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#unsettled.size
  }

  through<T>(ask: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const unsettled = this.#unsettled
    unsettled.add(reject)
    const begin = () => {
      const left = () => {
        unsettled.delete(reject)
        if (unsettled === this.#unsettled) this.#next()
      }
      ask().then(resolve, reject).finally(left)
    }
    if (this.#underWay < this.#max) {
      this.#underWay += 1
      begin()
    } else this.#waiting.push(begin)
    return promise
  }

  /** What was asked is not answered any more. */
  lost(): void {
    const unsettled = this.#unsettled
    this.#unsettled = new Set()
    this.#waiting = []
    this.#underWay = 0
    for (const reject of unsettled) reject(new Error('the connection to the broker was lost'))
  }

  /** The place goes from hand to hand. */
  #next(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#underWay -= 1
  }
}
