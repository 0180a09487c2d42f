/** One step at a time, in the order asked for; `mark` is told whose step it is, and 0 when it is over. */
export class Steps {
  readonly #mark: (work: number) => void
  #last: Promise<unknown> = Promise.resolve()

  constructor(mark: (work: number) => void) {
    this.#mark = mark
  }

  take<T>(work: number, action: () => T | Promise<T>): Promise<T> {
    const step = this.#last.then(async () => {
      this.#mark(work)
      try {
        return await action()
      } finally {
        this.#mark(0)
      }
    })
    this.#last = step.catch(() => {}) // the caller has the error; the next step has no part in it
    return step
  }
}
