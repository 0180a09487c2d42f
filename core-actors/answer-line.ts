import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { answerSubject, lineAnswers, predictSubject } from '@oriel/protocol/subjects'

/**
 * What became of a question. `absent`: nobody hears the subject, and nothing was asked. `lost`: the node's connection
 * ended before it answered, or ours did.
 */
export type Reply =
  | { readonly kind: 'answer'; readonly data: Uint8Array }
  | { readonly kind: 'absent' | 'lost' | 'late' | 'cancelled' }

export interface Question {
  /** Of the prediction. */
  readonly id: string
  readonly node: string
  readonly model: string
  readonly data: Uint8Array
  /** How long the answer is waited for: to the next sweep after it. */
  readonly maxMs: number
}

interface Pending {
  readonly id: string
  readonly node: string
  readonly until: number
  readonly settle: (reply: Reply) => void
}

const NO_RESPONDERS = 503
/** One timer for all questions: an object can have 10,000 at a time. */
const SWEEP_MS = 50

/** Questions to nodes over one connection, and their answers. One subscription serves them all. */
export class AnswerLine {
  readonly #connection: NatsConnection
  readonly #line = crypto.randomUUID()
  /** By the subject on which the answer is to come. */
  readonly #pending = new Map<string, Pending>()
  #last = 0
  #sweeping: ReturnType<typeof setInterval> | undefined

  constructor(connection: NatsConnection) {
    this.#connection = connection
    connection.subscribe(lineAnswers(this.#line), {
      callback: (error, message) => {
        if (!error) this.#heard(message)
      },
    })
  }

  ask({ id, node, model, data, maxMs }: Question): Promise<Reply> {
    const reply = answerSubject(this.#line, ++this.#last)
    return new Promise((settle) => {
      this.#pending.set(reply, { id, node, until: Date.now() + maxMs, settle })
      this.#sweeping ??= setInterval(() => this.#sweep(), SWEEP_MS)
      this.#connection.publish(predictSubject(node, model), data, { reply })
    })
  }

  /** Nobody waits for this prediction any more. */
  cancel(id: string): void {
    this.#settle('cancelled', (pending) => pending.id === id)
  }

  /** No answer that is not here comes from this node any more; without one, from any. */
  lost(node?: string): void {
    this.#settle('lost', (pending) => node === undefined || pending.node === node)
  }

  #sweep(): void {
    const now = Date.now()
    this.#settle('late', ({ until }) => now >= until)
    if (this.#pending.size > 0 || this.#sweeping === undefined) return
    clearInterval(this.#sweeping)
    this.#sweeping = undefined
  }

  #settle(kind: 'late' | 'lost' | 'cancelled', isMeant: (pending: Pending) => boolean): void {
    for (const [reply, pending] of this.#pending) {
      if (!isMeant(pending)) continue
      this.#pending.delete(reply)
      pending.settle({ kind })
    }
  }

  #heard(message: Msg): void {
    const pending = this.#pending.get(message.subject)
    if (!pending) return // too late, or asked of another meanwhile
    this.#pending.delete(message.subject)
    const absent = message.headers?.code === NO_RESPONDERS && message.data.byteLength === 0
    pending.settle(absent ? { kind: 'absent' } : { kind: 'answer', data: message.data })
  }
}
