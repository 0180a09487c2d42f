import type { Msg } from '@nats-io/nats-core'
import type { Delivery } from './delivery.ts'
import type { NatsLink } from './nats-link.ts'
import { isTransient } from './retry.ts'

const ACK_TIMEOUT_MS = 5_000

/**
 * A message that a pull consumer delivered. Its reply subject says what the broker counts:
 * `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<ns>.<pending>[.<token>]`
 */
export class JetStreamDelivery implements Delivery {
  readonly subject: string
  readonly data: Uint8Array
  readonly count: number
  readonly sequence: number
  /** Jobs of its lane that wait behind it. */
  readonly pending: number
  readonly #link: NatsLink
  readonly ackSubject: string
  readonly epoch: number

  constructor(link: NatsLink, { subject, data, reply = '' }: Msg) {
    const tokens = reply.split('.')
    const at = tokens.length === 9 ? 4 : 6
    this.subject = subject
    this.data = data
    this.count = Number(tokens[at])
    this.sequence = Number(tokens[at + 1])
    this.pending = Number(tokens[at + 4])
    this.#link = link
    this.ackSubject = reply
    this.epoch = link.epoch
    if (![this.count, this.sequence, this.pending].every(Number.isInteger)) {
      throw new Error(`not a delivery of a pull consumer: ${subject}`)
    }
  }

  working(): void {
    this.#say('+WPI')
  }

  /** Without the broker's answer the job comes again, and its log says that it is done. */
  async ack(): Promise<void> {
    try {
      await this.#link.during(() => this.#link.nc.request(this.ackSubject, '+ACK', { timeout: ACK_TIMEOUT_MS }))
    } catch (error) {
      if (!isTransient(error) && !this.#link.nc.isClosed()) throw error
    }
  }

  nak(delayMs: number): void {
    this.#say(delayMs > 0 ? `-NAK ${JSON.stringify({ delay: Math.round(delayMs * 1e6) })}` : '-NAK')
  }

  term(reason: string): void {
    this.#say(`+TERM ${reason}`)
  }

  // While the connection is away nothing is kept for later: the broker will have given the job to another.
  #say(word: string): void {
    if (this.#link.up && !this.#link.nc.isClosed()) this.#link.nc.publish(this.ackSubject, word)
  }
}
