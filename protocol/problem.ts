import * as v from 'valibot'

// Metric labels, alert rules and docs/problems/<kind>.md are named after these strings.
export const PROBLEM_KINDS = [
  'invalid-request', // a body, query or header that does not match its schema
  'invalid-cursor', // a history cursor that Oriel did not issue
  'invalid-event-id', // a Last-Event-ID that this request never issued
  'unauthenticated', // no token, or one that is not valid (any more)
  'forbidden', // a token that is valid, without the scope that this needs
  'not-found', // no such route, or no such request for this user
  'model-not-found',
  'input-mismatch', // a valid message, but not an input this model takes
  'invalid-parameter', // a parameter the model does not declare, or a value out of its bounds
  'request-conflict', // the same request id with another body
  'version-conflict', // the model, or this version of it, is there already: a version is what it is for good
  'upload-conflict', // parts of the file are missing, or it is just being put together
  'content-mismatch', // what was uploaded is not the content that its SHA-256 names
  'model-in-use', // the version may not be deleted now
  'not-requeueable', // a dead letter that is no request, or whose request did not end as failed
  'too-large', // the body, or an answer, is over the limit
  'limit-exceeded', // the user's own limit: rate, requests at once, or bytes; nothing was accepted
  'queue-full', // the model's queue is full; nothing was accepted
  'unavailable', // the broker or the database cannot be reached; nothing was accepted
  'model-unavailable', // the model is known, but cannot be loaded
  'model-damaged', // a file of the model is missing or is not the one its manifest names
  'answer-lost', // the request has ended, and its events were lost before they were recorded
  'deadline-exceeded',
  'inference-failed', // the model ran and threw
  'out-of-memory', // the model asked for more memory than its node could give
  'host-crashed', // the process that ran the model died
  'host-hung', // the model gave no sign of life for its time limit
  'internal',
] as const
export type ProblemKind = (typeof PROBLEM_KINDS)[number]

export const Problem = v.object({
  kind: v.picklist(PROBLEM_KINDS),
  detail: v.string(),
  retryAfterMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
})
export type Problem = v.InferOutput<typeof Problem>

/** The one error class that crosses a boundary. Anything else thrown is a bug and becomes `internal`. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly problem: Problem

  constructor(problem: Problem, options?: ErrorOptions) {
    super(`${problem.kind}: ${problem.detail}`, options)
    this.problem = problem
  }
}

export function toProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  return { kind: 'internal', detail: 'An unexpected error occurred.' }
}

/** The broken rules of a failed parse by path, without the values: safe to show and to log. */
export function describeIssues(issues: readonly v.BaseIssue<unknown>[]): string {
  return issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${rule(issue)}`).join('; ')
}

function rule(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'unknown field'
  if (issue.type === 'strict_object' || issue.type === 'object') {
    if (issue.received === 'undefined') return 'missing'
  }
  const expected = issue.expected === null ? `does not satisfy ${issue.type}` : `expected ${issue.expected}`
  return issue.received === 'undefined' ? `missing, ${expected}` : expected
}
