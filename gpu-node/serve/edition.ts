import assert from 'node:assert/strict'
import type { LocalModel } from '../model-runner.ts'

/** A version as its files were at one time. It is let go of when no prediction holds it. */
export class Edition {
  readonly model: LocalModel
  #held = 0
  #idle: (() => void) | undefined

  constructor(model: LocalModel) {
    this.model = model
  }

  take(): this {
    assert(!this.#idle, 'an edition that is on its way out is not taken')
    this.#held++
    return this
  }

  release(): void {
    assert(this.#held > 0, 'what is released was taken')
    if (--this.#held === 0) this.#idle?.()
  }

  /** Resolves when nothing holds it. It must not be taken any more. */
  retire(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve
      if (this.#held === 0) resolve()
    })
  }
}
