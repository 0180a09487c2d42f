import type { RequestEvent, Terminal } from '@oriel/protocol/event'
import type { RequestId } from '@oriel/protocol/ids'

export interface RecordedRequest {
  readonly requestID: string
  readonly bodyHash: string
  readonly sentAt: number
  readonly status: Terminal | 'accepted'
}

/** The record as an actor sees it: asked about what the actor has forgotten. The edge brings it (Postgres). */
export interface RequestRecord {
  /** @throws when the database cannot be reached */
  find(user: string, requestID: string): Promise<RecordedRequest | undefined>
  /** The log of a request that has ended, whole. @throws when the database cannot be reached */
  log(id: RequestId): Promise<RequestEvent[]>
  /**
   * Whether the request and its whole answer are in the record.
   * @param n number of the terminal event
   * @throws when the database cannot be reached
   */
  isRecorded(id: RequestId, n: number): Promise<boolean>
  /** Those of these requests that the record lists. @throws when the database cannot be reached */
  listed(ids: readonly string[]): Promise<string[]>
}
