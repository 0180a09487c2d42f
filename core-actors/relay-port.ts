import type { NewEvent, RequestEvent, Terminal } from '@oriel/protocol/event'
import type { Accepted } from '@oriel/protocol/fact'
import type { RequestId } from '@oriel/protocol/ids'
import type { Job } from '@oriel/protocol/job'
import type { Manifest } from '@oriel/protocol/manifest'
import type { Problem } from '@oriel/protocol/problem'
import type { Entry } from './log-entry.ts'

/** Refusals cross the RPC as values: an error class does not survive the way. */
export type Outcome<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly problem: Problem }

export interface Order {
  readonly job: Omit<Job, 'shard' | 'log'>
  readonly accepted: Accepted
}

export interface Submitted {
  /** False: the broker may or may not have the job and the fact. It is safe to send both again, the ids tell repeats. */
  readonly certain: boolean
  /** Lines of `encodeEntries`, from the start of the log on; ends when the relay lets go, not when the request does. */
  readonly events: ReadableStream<Uint8Array>
}

export interface ModelOffer {
  readonly manifest: Manifest
  /** Nodes that can run it now. */
  readonly nodes: number
  /** Why no node can, when none can. */
  readonly problem?: Problem
}

/** What actors and the edge ask of a relay; the Durable Object `Relay` is the one implementation. */
export interface RelayPort {
  /** One RPC for a request's whole life. `ok: false`: nothing was accepted. */
  submit(order: Order): Promise<Outcome<Submitted>>
  /** Events after the sequence `after`, replayed and then live. */
  attach(id: RequestId, after: number): Promise<ReadableStream<Uint8Array>>
  /** A page of the log after the sequence `after`; `more` when it goes on. */
  read(id: RequestId, after: number): Promise<Outcome<{ entries: Entry[]; more: boolean }>>
  /** Tells the record again that a request was accepted; the broker and the record know a repeat. */
  accept(accepted: Accepted): Promise<Outcome<object>>
  /** Says again where a waiting request stands, unless the log has moved on from `last`. */
  requeue(id: RequestId, model: string, last: { n: number; sequence: number; position: number }): Promise<void>
  /** Ends the request's log, whoever is writing it; answers the terminal event that won. */
  end(
    id: RequestId,
    event: Extract<NewEvent, { type: Exclude<Terminal, 'completed'> }>,
  ): Promise<Outcome<{ event: RequestEvent }>>
  /** @returns a refusal also for a model that is there, but on no node whole */
  model(name: string): Promise<Outcome<{ offer: ModelOffer | undefined }>>
  models(): Promise<Outcome<{ offers: ModelOffer[] }>>
  /** Whether the broker answers, and how many nodes are alive. */
  health(): Promise<{ broker: boolean; nodes: number }>
}
