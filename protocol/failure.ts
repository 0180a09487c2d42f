import type { Problem, ProblemKind } from './problem.ts'

// True only where another attempt, perhaps on another node, can end differently: a job that fails the same way every
// time would spend its budget and hold up the jobs behind it, and a client that sends it again would wait for nothing.
const RETRIABLE = {
  'invalid-request': false,
  'invalid-cursor': false,
  'invalid-event-id': false,
  unauthenticated: false,
  forbidden: false,
  'not-found': false,
  'model-not-found': true, // this node's folder lacks it; another's may not
  'input-mismatch': false,
  'invalid-parameter': false,
  'request-conflict': false,
  'version-conflict': false,
  'upload-conflict': false,
  'content-mismatch': false,
  'model-in-use': false,
  'not-requeueable': false,
  'too-large': false,
  'limit-exceeded': false,
  'queue-full': true,
  unavailable: true,
  'model-unavailable': true,
  'model-damaged': true,
  'answer-lost': true,
  'deadline-exceeded': false,
  'inference-failed': true,
  'out-of-memory': true, // others have let go of theirs by then, or another node has more
  'host-crashed': true,
  'host-hung': true,
  internal: true,
} as const satisfies Record<ProblemKind, boolean>

/** A node tries again what may end differently; of what has used up its attempts, a client is told the same. */
export const isRetriable = ({ kind }: Pick<Problem, 'kind'>): boolean => RETRIABLE[kind]

/** The end of a request that came to nothing, whoever writes it and whichever budget is spent. */
export const failedBy = (problem: Problem) => ({ type: 'failed', problem, retriable: isRetriable(problem) }) as const
