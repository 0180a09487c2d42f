import type { RequestEvent } from '@oriel/protocol/event'

export interface LogRead {
  /** In order. Without its beginning when the broker has already let go of it. */
  readonly events: readonly RequestEvent[]
  /** The stream sequence of the last event; 0 for an empty log. */
  readonly sequence: number
}

/** The fenced log of every request. `signal` gives an operation up; it then throws `AbortError`. */
export interface RequestLog {
  read(shard: number, id: string, signal?: AbortSignal): Promise<LogRead>
  /**
   * Adds an event if the log still ends at `expected`, and only then; answers its sequence, or `fenced`
   * when another author was faster. An event is never added twice, also when the broker's answer is lost.
   */
  append(
    shard: number,
    id: string,
    event: RequestEvent,
    expected: number,
    signal?: AbortSignal,
  ): Promise<number | 'fenced'>
}
