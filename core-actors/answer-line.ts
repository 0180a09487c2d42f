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
  readonly node: string
  readonly model: string
  readonly data: Uint8Array
  /** How long the answer is waited for. */
  readonly maxMs: number
}

interface Pending {
  readonly node: string
  readonly settle: (reply: Reply) => void
}

const NO_RESPONDERS = 503

/** Questions to nodes over one connection, and their answers. One subscription serves them all. */
export class AnswerLine {
  readonly #connection: NatsConnection
  readonly #line = crypto.randomUUID()
  readonly #pending = new Map<string, Pending>()
  #last = 0

  constructor(connection: NatsConnection) {
    this.#connection = connection
    connection.subscribe(lineAnswers(this.#line), {
      callback: (error, message) => {
        if (!error) this.#heard(message)
      },
    })
  }

  ask({ node, model, data, maxMs }: Question, signal: AbortSignal): Promise<Reply> {
    const { promise, resolve } = Promise.withResolvers<Reply>()
    if (signal.aborted) return Promise.resolve({ kind: 'cancelled' })
    const reply = answerSubject(this.#line, ++this.#last)
    const onAbort = () => settle({ kind: 'cancelled' })
    const timer = setTimeout(() => settle({ kind: 'late' }), maxMs)
    const settle = (outcome: Reply) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      this.#pending.delete(reply)
      resolve(outcome)
    }
    signal.addEventListener('abort', onAbort)
    this.#pending.set(reply, { node, settle })
    this.#connection.publish(predictSubject(node, model), data, { reply })
    return promise
  }

  /** No answer that is not here comes from this node any more; without one, from any. */
  lost(node?: string): void {
    for (const pending of [...this.#pending.values()]) {
      if (node === undefined || pending.node === node) pending.settle({ kind: 'lost' })
    }
  }

  #heard(message: Msg): void {
    const pending = this.#pending.get(message.subject)
    if (!pending) return // too late, or asked of another meanwhile
    const absent = message.headers?.code === NO_RESPONDERS && message.data.byteLength === 0
    pending.settle(absent ? { kind: 'absent' } : { kind: 'answer', data: message.data })
  }
}
