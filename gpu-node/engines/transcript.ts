import { Detokenizer } from './detokenizer.ts'
import { StopMatcher } from './stop.ts'

export interface TranscriptOptions {
  readonly decode: (tokens: number[]) => string
  readonly prompt: readonly number[]
  readonly stop: readonly string[]
  readonly endTokens: ReadonlySet<number>
  readonly maxTokens: number
  /** Text that an earlier attempt has sent: it is not given out again. */
  readonly sent: string
}

/**
 * The text of a generation, told token by token: what may be shown, and when it is over. It depends on nothing but
 * the tokens, so that of an attempt that continues another is the same text.
 */
export class Transcript {
  readonly #options: TranscriptOptions
  readonly #detokenizer: Detokenizer
  readonly #stop: StopMatcher
  #tokens = 0
  /** Of the text. */
  #length = 0
  finished = false

  constructor(options: TranscriptOptions) {
    this.#options = options
    this.#detokenizer = new Detokenizer(options.decode, options.prompt)
    this.#stop = new StopMatcher(options.stop)
  }

  /** @returns the text that the token sets free */
  accept(token: number): string {
    const { endTokens, maxTokens } = this.#options
    this.#tokens++
    const ended = endTokens.has(token)
    const over = ended || this.#tokens >= maxTokens
    let { text, stopped } = this.#stop.push(ended ? '' : this.#detokenizer.push(token))
    if (!stopped && over) {
      const rest = this.#stop.push(this.#detokenizer.flush())
      stopped = rest.stopped
      text += rest.text
      if (!stopped) text += this.#stop.flush()
    }
    this.finished = over || stopped
    return this.#unsent(text)
  }

  #unsent(text: string): string {
    const { sent } = this.#options
    const known = sent.slice(this.#length, this.#length + text.length)
    this.#length += text.length
    if (text.startsWith(known)) return text.slice(known.length)
    throw new Error('the tokens of the log do not give the text of the log')
  }
}
