import { openFrame } from '@oriel/protocol/frame'
import { AnswerHead } from '@oriel/protocol/prediction'
import type { Problem, ProblemKind } from '@oriel/protocol/problem'
import * as v from 'valibot'
import type { Question, Reply } from './answer-line.ts'
import { type Candidate, chooseNode } from './choose-node.ts'
import { PredictionCounts } from './prediction-counts.ts'
import type { Outcome, PredictionOrder } from './relay-port.ts'

export interface PredictionsPort {
  /** The live nodes that can run a version. */
  candidates(model: string, version: string): readonly Candidate[]
  ask(question: Question): Promise<Reply>
  /** Settles what was asked of it, and tells nodes that nobody waits any more. */
  cancel(id: string): void
  now(): number
  random(): number
}

/** What another node may not say. What the model itself did wrong would only be done again. */
const NOT_THERE: ReadonlySet<ProblemKind> = new Set([
  'queue-full',
  'unavailable',
  'model-not-found',
  'model-unavailable',
  'model-damaged',
  'out-of-memory',
])
/** Nodes that are asked: a prediction has no effect, but one that ends its node should not end all of them. */
const MAX_ASKED = 2
const RETRY_AFTER_MS = 1_000
/** Of all frames under way: each is kept until it is answered, for it may have to be asked of another node. */
export const MAX_BYTES = 64 * 1024 * 1024

/**
 * Predictions that somebody waits for. Each is asked of one node, and of a second when the first went away before it
 * answered, or cannot take it. Nothing of them is kept.
 */
export class Predictions {
  readonly counts = new PredictionCounts()
  readonly #port: PredictionsPort
  readonly #outstanding = new Map<string, number>()
  /** True: its caller has left. */
  readonly #running = new Map<string, boolean>()
  #bytes = 0

  constructor(port: PredictionsPort) {
    this.#port = port
  }

  async predict(order: PredictionOrder): Promise<Outcome<{ frame: Uint8Array }>> {
    const { byteLength } = order.frame
    if (this.#bytes + byteLength > MAX_BYTES) return refused(FULL)
    this.#bytes += byteLength
    this.#running.set(order.id, false)
    const since = this.#port.now()
    try {
      const outcome = await this.#predict(order)
      const now = this.#port.now()
      const { model, version } = order
      if (!this.#hasLeft(order.id)) {
        this.counts.add(model, version, outcome.ok ? 'answered' : 'failed', now - since, now)
      }
      return outcome
    } finally {
      this.#running.delete(order.id)
      this.#bytes -= byteLength
    }
  }

  /** The caller has left. */
  cancel(id: string): void {
    if (!this.#running.has(id)) return
    this.#running.set(id, true)
    this.#port.cancel(id)
  }

  #hasLeft(id: string): boolean {
    return this.#running.get(id) ?? true
  }

  async #predict({ id, model, version, timeoutMs, frame }: PredictionOrder) {
    const until = this.#port.now() + timeoutMs
    const tried = new Set<string>()
    let asked = 0
    let refusal: Problem = UNAVAILABLE
    while (asked < MAX_ASKED) {
      const candidates = this.#port.candidates(model, version).filter(({ node }) => !tried.has(node))
      const node = chooseNode(candidates, (node) => this.#outstanding.get(node) ?? 0, this.#port.random())
      if (node === undefined) break
      tried.add(node)
      const maxMs = until - this.#port.now()
      if (maxMs <= 0) return refused(lateAfter(timeoutMs))
      const reply = await this.#ask({ id, node, model, data: frame, maxMs })
      if (reply.kind === 'late') return refused(lateAfter(timeoutMs))
      if (reply.kind === 'cancelled' || this.#hasLeft(id)) return refused(CANCELLED)
      if (reply.kind !== 'absent') asked += 1 // else the catalog is a moment old
      if (reply.kind !== 'answer') continue
      const head = v.parse(AnswerHead, openFrame(reply.data).head)
      if (head.ok) return { ok: true as const, frame: ownBytes(reply.data) }
      refusal = head.problem
      if (!NOT_THERE.has(refusal.kind)) break
    }
    return refused(refusal)
  }

  async #ask(question: Question): Promise<Reply> {
    const { node } = question
    this.#outstanding.set(node, (this.#outstanding.get(node) ?? 0) + 1)
    try {
      return await this.#port.ask(question)
    } finally {
      const left = (this.#outstanding.get(node) ?? 1) - 1
      if (left > 0) this.#outstanding.set(node, left)
      else this.#outstanding.delete(node)
    }
  }
}

/** A view takes all of its buffer along when it is sent to another isolate. */
const ownBytes = (data: Uint8Array) => (data.byteLength === data.buffer.byteLength ? data : new Uint8Array(data))

const refused = (problem: Problem) => ({ ok: false as const, problem })

const UNAVAILABLE: Problem = {
  kind: 'unavailable',
  detail: 'No node could answer; a request (POST /requests) waits for one.',
  retryAfterMs: RETRY_AFTER_MS,
}

const FULL: Problem = {
  kind: 'queue-full',
  detail: `Predictions of ${MAX_BYTES} bytes together are under way here; try again, or send a request (POST /requests).`,
  retryAfterMs: RETRY_AFTER_MS,
}

const CANCELLED: Problem = { kind: 'unavailable', detail: 'The caller has left.' }

const lateAfter = (timeoutMs: number): Problem => ({
  kind: 'deadline-exceeded',
  detail: `There was no answer within ${timeoutMs} ms.`,
})
