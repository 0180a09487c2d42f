import { describeIssues, ProblemError } from '@oriel/protocol/problem'
import type { Context } from 'hono'
import * as v from 'valibot'
import { unreadable } from './body-limit.ts'

/** Deeper than any tensor; without a limit a body of brackets alone could exhaust the stack later. */
const MAX_DEPTH = 64

/**
 * The body as `schema` has it. The problem names paths and rules, never what the caller sent.
 * @throws ProblemError invalid-request
 */
export async function readJson<S extends v.GenericSchema>(c: Context, schema: S): Promise<v.InferOutput<S>> {
  const type = c.req.header('Content-Type') ?? ''
  if (!/^application\/([\w.+-]+\+)?json\b/i.test(type)) throw invalid('expected Content-Type: application/json')
  return parse(schema, decode(await c.req.text().catch((cause) => Promise.reject(unreadable(cause)))), 'body')
}

/** @throws ProblemError invalid-request */
export function parse<S extends v.GenericSchema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortPipeEarly: true })
  if (!result.success) throw invalid(`the ${what} is not valid: ${describeIssues(result.issues)}`)
  return result.output
}

function decode(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalid('the body is not JSON', cause)
  }
  // The validator leaves these names out without a word, and a parameter must not vanish.
  const magic = /"(__proto__|constructor|prototype)"\s*:/.exec(text)?.[1]
  if (magic) throw invalid(`the body has a field ${magic}`)
  if (depthOf(text) > MAX_DEPTH) throw invalid(`the body is nested more than ${MAX_DEPTH} deep`)
  return value
}

/** Of valid JSON: brackets inside strings do not count. */
function depthOf(json: string): number {
  let depth = 0
  let deepest = 0
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth)
    else if (token === ']' || token === '}') depth -= 1
  }
  return deepest
}

const invalid = (rule: string, cause?: unknown) =>
  new ProblemError({ kind: 'invalid-request', detail: `${rule[0]?.toUpperCase()}${rule.slice(1)}.` }, { cause })
