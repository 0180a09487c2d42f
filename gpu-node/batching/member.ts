import type { NamedTensor } from '@oriel/protocol/tensor'
import type { ModelRequest } from './model-request.ts'

/** A request and who waits for its answer. */
export interface Member extends ModelRequest {
  readonly since: number
  readonly resolve: (outputs: readonly NamedTensor[]) => void
  readonly reject: (error: unknown) => void
  readonly signal: AbortSignal | undefined
  onAbort: (() => void) | undefined
  /** How often it was lost with a host that others, or nobody knows who, brought down. */
  losses: number
  /** Its batch, once it has one. */
  batch: RunningBatch | undefined
}

export interface RunningBatch {
  /** Who still wants the answer. */
  wanted: number
  readonly abort: AbortController
}

/** A caller's signal may outlive the request. */
export function answered(member: Member): Member {
  if (member.onAbort) member.signal?.removeEventListener('abort', member.onAbort)
  return member
}
