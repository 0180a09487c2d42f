/**
 * Ends a text before the first stop string to be complete, in whatever pieces the text comes: what may be the
 * beginning of one is held back until it is known.
 */
export class StopMatcher {
  readonly #stops: readonly string[]
  readonly #longest: number
  #held = ''

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '')
    this.#longest = Math.max(0, ...this.#stops.map((stop) => stop.length))
  }

  /** @returns the text that may be shown now; after `stopped` there is no more */
  push(piece: string): { readonly text: string; readonly stopped: boolean } {
    const text = this.#held + piece
    for (let end = this.#held.length + 1; end <= text.length; end++) {
      const starts = this.#stops.filter((stop) => text.endsWith(stop, end)).map((stop) => end - stop.length)
      if (starts.length > 0) {
        this.#held = ''
        return { text: text.slice(0, Math.min(...starts)), stopped: true }
      }
    }
    const held = this.#beginningAtEnd(text)
    this.#held = text.slice(text.length - held)
    return { text: text.slice(0, text.length - held), stopped: false }
  }

  /** What was held back, when the text ends here. */
  flush(): string {
    const text = this.#held
    this.#held = ''
    return text
  }

  /** How much of the end of `text` could be the beginning of a stop string. */
  #beginningAtEnd(text: string): number {
    for (let length = Math.min(this.#longest - 1, text.length); length > 0; length--) {
      const end = text.slice(text.length - length)
      if (this.#stops.some((stop) => stop.startsWith(end))) return length
    }
    return 0
  }
}
