import { dirname, join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { ProblemError } from '@oriel/protocol/problem'
import * as v from 'valibot'
import type { LocalModel } from '../model-runner.ts'
import { isListed, readModelJson } from './model-file.ts'

const TokenizerJson = v.looseObject({ model: v.looseObject({}) })
const TokenizerConfig = v.looseObject({
  /** Exports without a limit write 1e30. */
  model_max_length: v.nullish(v.number(), Number.POSITIVE_INFINITY),
})

export interface TextTokenizer {
  /** As the model was trained to see it: with its special tokens. */
  encode(text: string): number[]
  /**
   * Without special tokens, and without the clean-up of spaces before punctuation that some configurations ask for:
   * it looks ahead, so what was streamed could turn out to be wrong.
   */
  decode(tokens: number[]): string
  /** Tokens, special ones included. */
  readonly maxLength: number
}

/** `tokenizer.json`, and `tokenizer_config.json` beside it where the model has one. */
export async function loadTokenizer(model: LocalModel, path = 'tokenizer.json'): Promise<TextTokenizer> {
  const json = await readModelJson(model, path, TokenizerJson)
  const file = join(dirname(path), 'tokenizer_config.json')
  const config = v.parse(
    TokenizerConfig,
    isListed(model, file) ? await readModelJson(model, file, TokenizerConfig) : {},
  )
  const tokenizer = build(path, json, config)
  return {
    encode: (text) => tokenizer.encode(text).ids,
    decode: (tokens) =>
      tokens.length === 0
        ? ''
        : tokenizer.decode(tokens, { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    maxLength: config.model_max_length,
  }
}

function build(path: string, json: object, config: object): Tokenizer {
  try {
    return new Tokenizer(json, config)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ProblemError({ kind: 'model-unavailable', detail: `${path}: ${reason}` }, { cause })
  }
}
