import { join } from 'node:path'
import { PROBLEM_KINDS } from '@oriel/protocol/problem'
import * as v from 'valibot'

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly text: string
}

const ROOT = join(import.meta.dir, '../..')
/** Words of ours that only a look behind the edge would show. */
const INSIDE = [
  ROOT,
  'node_modules',
  'postgres://',
  'postgresql://',
  'core-actors/',
  'worker.js',
  'TypeError',
  'ReferenceError',
  'RangeError',
  'SyntaxError',
  'PostgresError',
  'JetStream',
  'durable object',
]
const STACK = /\n\s+at .+:\d+:\d+/
/** 5xx that are said on purpose: something is away for now, and what says so tells when to come back. */
const DELIBERATE = ['queue-full', 'unavailable', 'model-unavailable', 'model-damaged'].map(
  (kind) => `urn:oriel:problem:${kind}`,
)
const TYPES = ['about:blank', ...PROBLEM_KINDS.map((kind) => `urn:oriel:problem:${kind}`)]
const Problem = v.object({ type: v.picklist(TYPES), status: v.number(), detail: v.string(), instance: v.string() })

/** What is wrong with an answer, in words; nothing for a good one. `sent` may come back, `hidden` may not. */
export function faultsOf(answer: Answer, hidden: readonly string[], sent = ''): string[] {
  const { status, contentType, text } = answer
  const faults: string[] = []
  for (const word of [...INSIDE, ...hidden])
    if (text.includes(word) && !sent.includes(word)) faults.push(`it has ${word}`)
  if (STACK.test(text)) faults.push('it has a stack trace')
  if (status >= 400) {
    const problem = v.safeParse(v.pipe(v.string(), v.parseJson(), Problem), text)
    if (contentType !== 'application/problem+json') faults.push(`a refusal as ${contentType}`)
    else if (!problem.success) faults.push('a problem of no known type')
    else if (problem.output.status !== status) faults.push(`it says ${problem.output.status}`)
    else if (status >= 500 && !DELIBERATE.includes(problem.output.type)) faults.push(`${status} ${problem.output.type}`)
  }
  return faults
}
