import type { NewEvent } from '@oriel/protocol/event'
import type { Output } from './model-runner.ts'

/** Characters that are merged into one event: well under the broker's largest message, whatever they are. */
const MAX_MERGED_CHARS = 64 * 1024

type Responses = Extract<NewEvent, { type: 'responses' }>

/**
 * What a model has said and the log does not have yet. Texts are joined, because the responses of a
 * generation joined are the whole text; anything else stays as it came.
 */
export class ResponseBuffer {
  #outputs: Output[] = []

  add(output: Output): void {
    const last = this.#outputs.at(-1)
    if (!last || !joins(last, output)) this.#outputs.push(output)
    else this.#outputs[this.#outputs.length - 1] = join(last, output)
  }

  /** Tokens alone, whose text is still held back, wait for it: they are nothing to a client. */
  get ready(): boolean {
    const [first, second] = this.#outputs
    return first !== undefined && (first.response !== '' || second !== undefined)
  }

  take(): Responses | undefined {
    if (!this.ready) return undefined
    const output = this.#outputs.shift()
    return output && { type: 'responses', response: output.response, ...tokensOf(output) }
  }
}

const joins = (a: Output, b: Output): boolean =>
  typeof a.response === 'string' &&
  typeof b.response === 'string' &&
  a.response.length + b.response.length <= MAX_MERGED_CHARS

function join(a: Output, b: Output): Output {
  const tokens = a.tokens || b.tokens ? { tokens: [...(a.tokens ?? []), ...(b.tokens ?? [])] } : {}
  return { response: `${a.response}${b.response}`, ...tokens }
}

const tokensOf = ({ tokens }: Output) => (tokens ? { tokens: [...tokens] } : {})
