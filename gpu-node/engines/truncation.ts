import type { TextTokenizer } from './text-tokenizer.ts'

/** Cuts the text's own tokens and keeps the special ones around them. */
export function truncation(tokenizer: TextTokenizer, maxLength: number): (tokens: number[]) => number[] {
  const around = tokenizer.encode('')
  const [first] = tokenizer.encode('a').filter((token) => !around.includes(token))
  const before = first === undefined ? 0 : tokenizer.encode('a').indexOf(first)
  const after = around.length - before
  return (tokens) => {
    if (tokens.length <= maxLength) return tokens
    return [...tokens.slice(0, maxLength - after), ...tokens.slice(tokens.length - after)]
  }
}
