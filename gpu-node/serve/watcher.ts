import type { Clock } from '../clock.ts'

export interface WatcherOptions {
  /** ms between two looks. */
  readonly everyMs: number
  readonly clock: Clock
  /** All that a change would change. */
  readonly look: () => Promise<string>
  readonly onChange: () => Promise<unknown>
  /** The folder could not be read, or not taken up. It is looked at again. */
  readonly onError: (error: unknown) => void
}

/**
 * Looks at a folder again and again: that works on every file system, also on those that send no events. A change is
 * taken up when two looks have seen the same, so that a file that is still being copied is left alone.
 */
export class Watcher {
  readonly #options: WatcherOptions
  #seen: string | undefined
  #taken: string | undefined
  #isStopped = false
  #cancel = () => {}
  #looking: Promise<void> = Promise.resolve()

  /** @param taken what is known already */
  constructor(options: WatcherOptions, taken: string) {
    this.#options = options
    this.#taken = taken
  }

  run(): void {
    const { clock, everyMs } = this.#options
    this.#cancel = clock.setTimer(everyMs, () => {
      this.#looking = this.#look().then(() => {
        if (!this.#isStopped) this.run()
      })
    })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    await this.#looking
  }

  async #look(): Promise<void> {
    const { look, onChange, onError } = this.#options
    try {
      const found = await look()
      const isStill = found === this.#seen
      this.#seen = found
      if (!isStill || found === this.#taken) return
      await onChange()
      this.#taken = found
    } catch (error) {
      onError(error)
    }
  }
}
