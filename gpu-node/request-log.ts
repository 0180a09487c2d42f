import type { RequestEvent } from '@oriel/protocol/event'

export interface LogRead {
  /** In order. Without its beginning when the broker has already let go of it. */
  readonly events: readonly RequestEvent[]
  /** The stream sequence of the last event; 0 for an empty log. */
  readonly sequence: number
}

/** The fenced log of every request. `signal` gives an operation up; it then throws `AbortError`. */
export interface RequestLog {
  /** Another number after every reconnect: the broker may have come back without what it had. */
  readonly epoch: number
  read(shard: number, id: string, signal?: AbortSignal): Promise<LogRead>
  /**
   * Adds an event if the log still ends at `expected`, and only then; answers its sequence, or `fenced`: the log
   * has to be read, because another author was faster, or because the broker is not the one that was read. Then the
   * event may be there all the same. It is never added twice, also when the broker's answer is lost.
   * @param delivery where the job is acknowledged, kept beside the event
   */
  append(
    shard: number,
    id: string,
    event: RequestEvent,
    expected: number,
    signal?: AbortSignal,
    delivery?: string,
  ): Promise<number | 'fenced'>
}
