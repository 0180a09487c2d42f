import type { KeyAllowance, Share, Usage } from './limits.ts'
import type { RecentEntry } from './recent.ts'
import type { Outcome } from './relay-port.ts'

/**
 * `more`: there are others after these. `behind`: of what is older some may be neither here nor in the record. `whole`:
 * there is nothing but these, neither hot nor in the record.
 */
export interface RecentPage {
  readonly entries: RecentEntry[]
  readonly more: boolean
  readonly behind: boolean
  readonly whole: boolean
}

/** A request as its user's actor has to know it. */
export interface Note extends RecentEntry {
  /** ms since the epoch: past it the request counts no longer as under way. */
  readonly deadlineAt: number
  /** Of its body. */
  readonly bytes: number
  /** That it came with, if that has limits of its own. */
  readonly key?: KeyAllowance | undefined
}

/** `usage`: what is left of the limits of the user, and of the key. A refusal leaves nothing behind. */
export type Admission = Outcome<object> & { readonly usage: readonly Usage[] }

/** Some of a user's rate and bytes, to be spent by one isolate of the edge on predictions that are not asked for one by one. */
export interface LeaseOrder extends Share {
  /** Bytes that the first of them needs. */
  readonly atLeastBytes: number
  readonly key?: KeyAllowance | undefined
  /** What is left of an earlier lease, and when that was given. */
  readonly unused?: (Share & { readonly leasedAt: number }) | undefined
}

/** What the actors of requests, and the edge, ask of a user's actor. Every call may be repeated. */
export interface UserPort {
  /** Counts a request against the limits, the user's and the key's, and notes it as recent, or refuses it. */
  admit(note: Note): Promise<Admission>
  /** The same of a request that is accepted already, so it is not refused. `open`: it has not ended. */
  note(note: Note, open: boolean): Promise<void>
  /** It was not accepted after all: as if it had never been admitted. */
  withdraw(note: Note): Promise<void>
  ended(id: string): Promise<void>
  /** Leases what there is, at least for one, or refuses. Not to be repeated: what is lost on its way is spent. */
  lease(order: LeaseOrder): Promise<Outcome<Share>>
  /** The actor of the request has forgotten it: the record has it. */
  forgotten(id: string): Promise<void>
  /** The user's most recent requests that were sent before the request `before`, newest first. */
  recent(before: string | undefined): Promise<RecentPage>
  /** Whoever read the record to its end found nothing in it that is not among the recent ones. */
  nothingElse(): Promise<void>
}
