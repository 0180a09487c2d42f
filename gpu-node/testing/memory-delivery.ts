import type { Delivery } from '../delivery.ts'

/** Keeps what the broker is told. */
export class MemoryDelivery implements Delivery {
  readonly said: string[] = []
  readonly subject: string
  readonly data: Uint8Array
  readonly count: number
  readonly sequence: number
  readonly ackSubject = '$JS.ACK.JOBS.test'
  readonly epoch: number

  constructor(subject: string, body: string, count: number, sequence = 1, epoch = 0) {
    this.subject = subject
    this.data = new TextEncoder().encode(body)
    this.count = count
    this.sequence = sequence
    this.epoch = epoch
  }

  working(): void {
    this.said.push('working')
  }

  async ack(): Promise<void> {
    this.said.push('ack')
  }

  nak(delayMs: number): void {
    this.said.push(`nak ${delayMs}`)
  }

  term(reason: string): void {
    this.said.push(`term ${reason}`)
  }
}
