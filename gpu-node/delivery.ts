/** One delivery of a message from the queue, as the broker counts them. */
export interface Delivery {
  readonly subject: string
  readonly data: Uint8Array
  /** 1 for the first. */
  readonly count: number
  /** The message's place in the stream: what names a message that has no id. */
  readonly sequence: number
  /** Where it is acknowledged. */
  readonly ackSubject: string
  /** The log's when it came: one that came before the broker lost its state means another job now. */
  readonly epoch: number
  /** Puts off the time at which the broker gives the job to another node. */
  working(): void
  /** Done; resolves when the broker has said that it knows. */
  ack(): Promise<void>
  /** Not done: to be delivered again after `delayMs`. */
  nak(delayMs: number): void
  /** Never to be delivered again. */
  term(reason: string): void
}
