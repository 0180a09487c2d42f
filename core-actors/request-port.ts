import type { RequestEvent, Status } from '@oriel/protocol/event'
import type { Problem } from '@oriel/protocol/problem'
import type { KeyAllowance, Usage } from './limits.ts'
import type { Outcome } from './relay-port.ts'
import type { End, OpenRequest } from './request.ts'

/** What the edge has checked: a request that a model takes. */
export type Draft = Omit<OpenRequest, 'sentAt' | 'deadlineAt'> & { readonly timeoutMs: number }

/** For the limits, `bytes`: of the body; `key`: that it came with, if that has limits of its own. */
export type NewDraft = Draft & { readonly bytes: number; readonly key?: KeyAllowance }

export interface Standing {
  readonly requestID: string
  readonly status: Status
  readonly sentAt: number
}

/** `usage`: what is left of the limits of the user, and of the key, when they were asked for and it is they that refuse, or nobody does. */
export type Submission = Outcome<Standing> & { readonly usage?: readonly Usage[] }

export interface Snapshot {
  readonly request: OpenRequest
  readonly status: Status
  readonly events: RequestEvent[]
}

/** `unknown`: no request of that id was accepted here, or it is forgotten. `record`: its log is gone or out of reach. */
export type Known =
  | { readonly kind: 'whole'; readonly snapshot: Snapshot }
  | { readonly kind: 'record' }
  | { readonly kind: 'unknown' }

/** `record`: this actor does not know the request, or its log is gone; Postgres has it if anyone has. */
export type Streaming =
  | { readonly kind: 'live'; readonly body: ReadableStream<Uint8Array> }
  | { readonly kind: 'whole'; readonly text: string }
  | { readonly kind: 'over' }
  | { readonly kind: 'record' }
  | { readonly kind: 'refused'; readonly problem: Problem }

/** What an operator asks of a request that lies in DEAD. The record told who it is: the actor may have forgotten. */
export interface RequeueOrder {
  readonly draft: Draft
  /** How it ended, if the record has that yet. */
  readonly end?: End
  /** The number of the last dispatch that is known of. */
  readonly dispatch: number
}
