import { refuse } from './message.ts'

/** @throws ProblemError invalid-request */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    refuse('The body is not valid JSON.')
  }
}

/**
 * The same, with integers that a double cannot hold as bigints. About ten times slower, because the parser calls back
 * for every value: for bodies that need it only.
 */
export function parseExactJson(text: string): unknown {
  try {
    return JSON.parse(text, exactly)
  } catch {
    refuse('The body is not valid JSON.')
  }
}

function exactly(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  // Longer than any 64-bit integer: not worth a conversion that takes the square of its length.
  return context?.source !== undefined && /^-?[0-9]{1,20}$/.test(context.source) ? BigInt(context.source) : value
}

/** Whether the text may hold an integer that a double cannot. It may say yes for nothing, never no for something. */
export const mayNeedExactness = (text: string): boolean => /[0-9]{16}/.test(text)
