import type { ModelAliases } from '@oriel/protocol/alias'
import type { NewEvent, RequestEvent, Terminal } from '@oriel/protocol/event'
import type { Accepted } from '@oriel/protocol/fact'
import type { RequestId } from '@oriel/protocol/ids'
import type { Job } from '@oriel/protocol/job'
import type { Manifest } from '@oriel/protocol/manifest'
import type { Problem } from '@oriel/protocol/problem'
import type { Lane } from '@oriel/protocol/subjects'
import type { About } from './channel.ts'
import type { Letter, LetterPage, LetterQuery } from './dead-letters.ts'
import type { Entry } from './log-entry.ts'
import type { Mended } from './mend-record.ts'
import type { ModelQuery } from './model-page.ts'
import type { PredictionCount } from './prediction-counts.ts'
import type { End, Look } from './request.ts'
import type { Failure, Requeued } from './requeue-log.ts'

/** Refusals cross the RPC as values: an error class does not survive the way. */
export type Outcome<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly problem: Problem }

export interface Order {
  readonly job: Omit<Job, 'shard' | 'log'>
  readonly accepted: Accepted
}

export interface Submitted {
  /** False: the broker may or may not have the job and the fact. It is safe to send both again, the ids tell repeats. */
  readonly certain: boolean
}

export interface Requeue {
  readonly job: Order['job']
  readonly failure: Failure
}

export interface Reading extends About {
  /** Number of the last event the client has; 0 for none. */
  readonly after: number
  /** The actor knows that the request has ended. */
  readonly ended: boolean
  /** The broker lost the log once and it began anew: a number above its last was issued all the same. */
  readonly renewed: boolean
}

/**
 * `live`: a stream for one client, from the event after the client's last to the terminal one; it breaks or ends
 * early when the log cannot be followed, and the client comes back. `missing`: the broker has not the whole log.
 */
export type Attached =
  | { readonly kind: 'live'; readonly body: ReadableStream<Uint8Array> }
  | { readonly kind: 'whole'; readonly text: string }
  | { readonly kind: 'over' }
  | { readonly kind: 'unissued' }
  | { readonly kind: 'missing' }

export interface ModelOffer {
  readonly manifest: Manifest
  /** All that there are of the model, the lowest first. */
  readonly versions: readonly string[]
  /** Which version each alias of the model means. */
  readonly aliases: ModelAliases
  /** Nodes that can run it now. */
  readonly nodes: number
  /** When a node that can run it was last heard of, ms since the epoch. */
  readonly lastHeartbeat?: number
  /** Why no node can, when none can. */
  readonly problem?: Problem
}

/** A prediction that somebody waits for. `frame` is what a node gets: see `PredictionHead`. */
export interface PredictionOrder {
  readonly id: RequestId
  readonly model: string
  readonly version: string
  readonly timeoutMs: number
  readonly frame: Uint8Array
}

/** What actors and the edge ask of a relay; the Durable Object `Relay` is the one implementation. */
export interface RelayPort {
  /** `ok: false`: nothing was accepted. */
  submit(order: Order): Promise<Outcome<Submitted>>
  /**
   * Continues the log of a failed request and sends its job again. A refusal has ended the log once more.
   * @throws when it is not known how far it came
   */
  requeue(order: Requeue): Promise<Outcome<{ requeued: Requeued }>>
  /** Answers when the request has ended; `undefined` when the relay has to be asked again. */
  untilEnded(id: RequestId, about: About): Promise<End | undefined>
  /** The events of a request as a client gets them (SSE). */
  attach(id: RequestId, reading: Reading): Promise<Attached>
  /** The last event of a log, if there is any. */
  last(id: RequestId): Promise<Outcome<{ event: RequestEvent | undefined }>>
  /** When the broker began the queue that a model's jobs wait in: it has none that were sent before. */
  queueSince(model: string, lane: Lane): Promise<Outcome<{ since: number }>>
  /** A page of the log after the sequence `after`; `more` when it goes on. */
  read(id: RequestId, after: number): Promise<Outcome<{ entries: Entry[]; more: boolean }>>
  /** Tells the record again that a request was accepted; the broker and the record know a repeat. */
  accept(accepted: Accepted): Promise<Outcome<object>>
  /** Tells the record (again) what it lacks of a request that has ended. */
  mend(accepted: Accepted, end: End, look: Look): Promise<Outcome<{ mended: Mended }>>
  /** Ends the request's log, whoever is writing it; answers the terminal event that won. */
  end(
    id: RequestId,
    event: Extract<NewEvent, { type: Exclude<Terminal, 'completed'> }>,
  ): Promise<Outcome<{ event: RequestEvent }>>
  deadLetters(query: LetterQuery): Promise<Outcome<LetterPage>>
  deadLetter(id: string): Promise<Outcome<{ letter: Letter | undefined }>>
  /** @param sequence of the letter that is meant: a later one of the same request stays */
  discard(sequence: number): Promise<Outcome<{ found: boolean }>>
  /** Asks a node, and answers with its frame: see `AnswerHead`. Nothing was accepted, and it may be asked again. */
  predict(order: PredictionOrder): Promise<Outcome<{ frame: Uint8Array }>>
  /** The caller of a prediction has left: it is not run, if it has not begun. */
  cancelPrediction(id: RequestId): Promise<void>
  /** Of the predictions that went through here. */
  predictionCounts(): Promise<PredictionCount[]>
  /**
   * @param version a number, an alias or `latest`; else what the bare name means
   * @returns a refusal also for a model that is there, but on no node whole
   */
  model(name: string, version?: string): Promise<Outcome<{ offer: ModelOffer | undefined }>>
  models(): Promise<Outcome<{ offers: ModelOffer[] }>>
  modelPage(query: ModelQuery): Promise<Outcome<{ offers: ModelOffer[]; more: boolean }>>
  /** Nodes that have a version of a model, or any unless given, in memory. */
  nodesWith(name: string, version: string | undefined): Promise<Outcome<{ nodes: string[] }>>
  /** Whether the broker answers, and how many nodes are alive. */
  health(): Promise<{ broker: boolean; nodes: number }>
}
