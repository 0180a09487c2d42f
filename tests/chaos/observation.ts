import type { RequestView } from '@oriel/protocol/api'
import type { Status } from '@oriel/protocol/event'
import type { Received } from '../support/client.ts'
import type { FaultName } from './faults.ts'
import type { PlannedRequest } from './load-plan.ts'

// What clients got, as they got it. Times are ms since the epoch.

export type SubmitOutcome =
  | { readonly kind: 'accepted'; readonly sentAt: string }
  | {
      readonly kind: 'refused'
      readonly status: number
      readonly problem: string
      /** Seconds, of the header. */
      readonly retryAfter?: string
    }
  /** No answer came: it may have been accepted or not, so it is sent again under the same id. */
  | { readonly kind: 'lost'; readonly why: string }

export interface Submit {
  readonly at: number
  readonly answeredAt: number
  readonly outcome: SubmitOutcome
}

/** One DELETE of a request. */
export interface Cancellation {
  readonly at: number
  readonly answeredAt: number
  readonly outcome:
    | { readonly kind: 'answered'; readonly status: Status }
    | { readonly kind: 'refused'; readonly status: number; readonly problem: string }
    /** No answer came: it may have been cancelled or not, so it is cancelled again. */
    | { readonly kind: 'lost'; readonly why: string }
}

export interface SeenEvent extends Received {
  readonly at: number
}

/** One connection for events. */
export interface Connection {
  readonly openedAt: number
  /** The Last-Event-ID it sent; 0 for none. */
  readonly after: number
  /** undefined when no answer came. */
  status: number | undefined
  readonly events: SeenEvent[]
  closedAt: number
  /** `left` by the client's own will; `silent` for so long that the client gave it up. */
  end: 'open' | 'closed' | 'torn' | 'left' | 'silent'
}

export interface Poll {
  readonly at: number
  readonly after: number
  readonly answer:
    | { readonly kind: 'view'; readonly view: RequestView }
    | { readonly kind: 'refused'; readonly why: string }
}

/** What is to be had of a request when all is quiet. */
export interface Afterwards {
  /** Of GET /requests/:id. */
  readonly status: number
  readonly view: RequestView | undefined
  /** All events from the first on, read in one piece. */
  readonly log: readonly Received[]
}

export interface RequestObservation {
  readonly planned: PlannedRequest
  readonly submits: Submit[]
  readonly connections: Connection[]
  readonly polls: Poll[]
  readonly cancellations: Cancellation[]
  afterwards: Afterwards | undefined
}

export interface InjectedFault {
  readonly fault: FaultName
  readonly at: number
  /** When it was over and its part was back. */
  readonly until: number
  readonly target: string
  /** Why its part was not well again, when it was not. */
  readonly left?: string
  /** Why it could not be done, when it could not. */
  readonly skipped?: string
}

export interface Observation {
  readonly requests: readonly RequestObservation[]
  /** The whole history of each user, page after page. */
  readonly histories: ReadonlyMap<string, readonly RequestView[]>
  /** The responses of each question before there were faults. */
  readonly answers: ReadonlyMap<string, readonly unknown[]>
  readonly faults: readonly InjectedFault[]
}

export type Standing = 'accepted' | 'refused' | 'unanswered'

/** An accepted request stays accepted, and a lost answer settles nothing. */
export function standingOf({ submits }: RequestObservation): Standing {
  if (submits.some(({ outcome }) => outcome.kind === 'accepted')) return 'accepted'
  return submits.length > 0 && submits.every(({ outcome }) => outcome.kind === 'refused') ? 'refused' : 'unanswered'
}
