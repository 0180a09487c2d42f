import { refuse } from './message.ts'

/** @throws ProblemError invalid-request */
export const parseJson = (text: string): unknown => parse(text, undefined)

/**
 * The same, with integers that a double cannot hold as bigints. Several times slower, because the parser calls back
 * for every value: for bodies that need it only.
 */
export const parseExactJson = (text: string): unknown => parse(text, exactly)

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown

function parse(text: string, reviver: Reviver | undefined): unknown {
  try {
    return JSON.parse(text, reviver)
  } catch {
    try {
      return JSON.parse(quoteBareWords(text), reviver)
    } catch {
      refuse('The body is not valid JSON.')
    }
  }
}

/**
 * Python writes NaN and Infinity as they are, and Triton reads them; quoted they are what a tensor may hold too. A loop
 * and no pattern over the whole, because a pattern's time could be made to grow with the square of the text.
 */
function quoteBareWords(text: string): string {
  const parts: string[] = []
  let at = 0
  while (at < text.length) {
    const quote = text.indexOf('"', at)
    const opens = quote === -1 ? text.length : quote
    parts.push(text.slice(at, opens).replace(/-?Infinity|NaN/g, '"$&"'))
    let closes = opens + 1
    while (closes < text.length && text[closes] !== '"') closes += text[closes] === '\\' ? 2 : 1
    parts.push(text.slice(opens, closes + 1))
    at = closes + 1
  }
  return parts.join('')
}

function exactly(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  // Longer than any 64-bit integer: not worth a conversion that takes the square of its length.
  return context?.source !== undefined && /^-?[0-9]{1,20}$/.test(context.source) ? BigInt(context.source) : value
}

/** Whether the text may hold an integer that a double cannot. It may say yes for nothing, never no for something. */
export const mayNeedExactness = (text: string): boolean => /[0-9]{16}/.test(text)
