/** A message that is nobody else's for as long as its receiver says often enough that it is working on it. */
export interface Held {
  working(): void
}

/** What a recorder was given and has not settled. */
export class InHand<M extends Held> {
  readonly #messages = new Set<M>()

  get size(): number {
    return this.#messages.size
  }

  /** What a source yields, taken as soon as it comes, however long those before it take. */
  async *taken(source: AsyncIterable<M>): AsyncGenerator<M> {
    const queue: M[] = []
    let more = Promise.withResolvers<void>()
    let over = false
    const read = async () => {
      for await (const message of source) {
        this.#messages.add(message)
        queue.push(message)
        more.resolve()
      }
    }
    const reading = read().finally(() => {
      over = true
      more.resolve()
    })
    reading.catch(() => {}) // told below, after what came before it
    while (!over || queue.length > 0) {
      const next = queue.shift()
      if (next) {
        yield next
        continue
      }
      more = Promise.withResolvers()
      if (!over) await more.promise
    }
    await reading
  }

  settled(messages: readonly M[]): void {
    for (const message of messages) this.#messages.delete(message)
  }

  /** What is not settled is left to the broker, which gives it to somebody again. */
  drop(): void {
    this.#messages.clear()
  }

  working(): void {
    for (const message of this.#messages) message.working()
  }
}
