/** A character that is not whole yet decodes to U+FFFD, and so do bytes that never become one. */
const BROKEN = '\uFFFD'
/** Tokens. A model that babbles bytes may never reach the end of a character; then its text is cut here. */
const LONGEST_WINDOW = 32

/**
 * Text from tokens, one at a time, in the time of a few tokens each. A window of tokens is decoded again with every
 * new one, because a token alone may be half a character, and because decoders drop a space at the beginning.
 */
export class Detokenizer {
  readonly #decode: (tokens: number[]) => string
  #window: number[]
  /** How much of the window's text was given out; -1 until it is asked for. */
  #given: number
  /** How many tokens of the window came with the last whole piece of text, or before. */
  #whole: number

  /** @param context the tokens before the first: the end of the prompt */
  constructor(decode: (tokens: number[]) => string, context: readonly number[]) {
    this.#decode = (tokens) => (tokens.length === 0 ? '' : decode(tokens))
    this.#window = context.slice(-LONGEST_WINDOW / 2)
    this.#given = this.#decode(this.#window).length
    this.#whole = this.#window.length
  }

  push(token: number): string {
    this.#window.push(token)
    const text = this.#decode(this.#window)
    if (text.endsWith(BROKEN) && this.#window.length < LONGEST_WINDOW) return this.#give(withoutBrokenEnd(text))
    const piece = this.#give(text)
    if (piece !== '' || this.#window.length >= LONGEST_WINDOW) this.#slide()
    return piece
  }

  /** What was held back, when there are no more tokens. */
  flush(): string {
    return this.#give(this.#decode(this.#window))
  }

  #give(text: string): string {
    const piece = text.slice(this.#given)
    this.#given = Math.max(this.#given, text.length)
    return piece
  }

  /** The last whole piece is the context of the next. */
  #slide(): void {
    this.#window = this.#window.slice(this.#whole)
    this.#given = this.#decode(this.#window).length
    this.#whole = this.#window.length
  }
}

function withoutBrokenEnd(text: string): string {
  let end = text.length
  while (end > 0 && text[end - 1] === BROKEN) end--
  return text.slice(0, end)
}
