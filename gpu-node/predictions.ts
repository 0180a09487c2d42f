import type { Msg, Subscription } from '@nats-io/nats-core'
import type { InferenceAnswer } from '@oriel/oip/port'
import { decodeRequest } from '@oriel/oip/request'
import { encodeResponse } from '@oriel/oip/response'
import { openFrame, packFrame } from '@oriel/protocol/frame'
import { type AnswerHead, MAX_FRAME_BYTES, PredictionHead } from '@oriel/protocol/prediction'
import { type Problem, ProblemError, toProblem } from '@oriel/protocol/problem'
import { nodePredictions } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { type AnswerOptions, answerCall, type Call } from './answer-call.ts'
import { BoundedRunner } from './bounded-runner.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import type { LocalModel, ModelRunner } from './model-runner.ts'
import { isModel, type ModelShelf } from './model-shelf.ts'
import type { NatsLink } from './nats-link.ts'
import type { Predictor } from './predictor.ts'

/** What was predicted, or came to nothing. */
export interface Predicted {
  readonly head: PredictionHead
  readonly call: Call
  readonly tookMs: number
  readonly outcome: { readonly answer: InferenceAnswer } | { readonly problem: Problem }
}

export interface PredictionsOptions {
  readonly node: string
  readonly link: NatsLink
  readonly models: ModelShelf
  readonly predictor: Predictor
  readonly runner: ModelRunner
  readonly clock: Clock
  readonly logger: Logger
  /** Of all predictions in hand, as they came. */
  readonly maxBytes?: number
  /** Told after the answer has gone. */
  readonly onPredicted: (predicted: Predicted) => void
}

/** Predictions at a time; more are refused, so that what waits here is not without bound. */
const MAX_RUNNING = 4_096
/** Of them together, as they came: tensors, and the arrays that are made of them, are as large again. */
const MAX_BYTES = 256 * 1024 * 1024
const RETRY_AFTER_MS = 1_000

/** What a caller did wrong, and what was never tried, are not predictions: nothing is recorded of them. */
const NOT_TRIED: ReadonlySet<Problem['kind']> = new Set([
  'invalid-request',
  'invalid-parameter',
  'input-mismatch',
  'model-not-found',
  'queue-full',
  'too-large',
])

/** Answers predictions that somebody waits for. They come over the broker one by one, and nobody keeps them. */
export class Predictions {
  readonly #options: PredictionsOptions
  readonly #answering: AnswerOptions
  readonly #running = new Map<string, AbortController>()
  #bytes = 0
  #subscription: Subscription | undefined
  #idle = Promise.withResolvers<void>()

  constructor(options: PredictionsOptions) {
    this.#options = options
    const { predictor, runner, clock } = options
    this.#answering = { predictor, runner: new BoundedRunner(runner), now: () => clock.now() }
  }

  get busy(): number {
    return this.#running.size
  }

  run(): void {
    const { link, node } = this.#options
    const callback = (error: Error | null, message: Msg) => {
      if (!error) void this.#take(message)
    }
    this.#subscription = link.nc.subscribe(nodePredictions(node), { callback })
  }

  /** Takes no more. What has come already is answered. */
  stop(): void {
    if (!this.#options.link.nc.isClosed()) this.#subscription?.unsubscribe()
  }

  /** Resolves when nothing is in hand. */
  async idle(): Promise<void> {
    while (this.busy > 0) await this.#idle.promise
  }

  /** Nobody waits for it any more. */
  cancel(id: string): void {
    this.#running.get(id)?.abort()
  }

  /** Without a word: when our connection ends, whoever asked asks another node. */
  abandon(): void {
    for (const running of this.#running.values()) running.abort()
  }

  async #take(message: Msg): Promise<void> {
    const { node, logger } = this.#options
    try {
      const { head, message: body } = openFrame(message.data)
      await this.#answer(message, v.parse(PredictionHead, head), body)
    } catch (error) {
      // No caller is to blame: the edge wrote it.
      logger.error('a prediction cannot be read', { subject: message.subject, cause: error })
      message.respond(packFrame({ ok: false, node, problem: toProblem(error) } satisfies AnswerHead, ''))
    }
  }

  async #answer(message: Msg, head: PredictionHead, body: Parameters<typeof decodeRequest>[0]): Promise<void> {
    const { clock, node, logger, maxBytes = MAX_BYTES, onPredicted } = this.#options
    const since = clock.now()
    const aborting = new AbortController()
    // A second of the same id is the same caller, who asks again over another connection.
    this.#running.get(head.id)?.abort()
    this.#running.set(head.id, aborting)
    this.#bytes += message.data.byteLength
    const cancelTimer = clock.setTimer(head.timeoutMs, () => aborting.abort())
    let call: Call | undefined
    try {
      if (this.busy > MAX_RUNNING || this.#bytes > maxBytes) throw new ProblemError(FULL)
      const model = this.#find(head)
      const request = decodeRequest(body)
      const asked = { ...request.call, parameters: head.parameters }
      call = asked
      const answer = await answerCall(this.#answering, model, asked, aborting.signal)
      const tookMs = clock.now() - since
      const encoded = encodeResponse(answer, request.form)
      const reply = packFrame({ ok: true, node, tookMs } satisfies AnswerHead, encoded.body, encoded.headerLength)
      if (reply.byteLength > MAX_FRAME_BYTES) throw new ProblemError(answerTooLarge(reply.byteLength))
      message.respond(reply)
      onPredicted({ head, call: asked, tookMs, outcome: { answer } })
    } catch (error) {
      if (aborting.signal.aborted) return // nobody listens
      if (!(error instanceof ProblemError)) logger.error('a prediction failed', { id: head.id, cause: error })
      const problem = toProblem(error)
      message.respond(packFrame({ ok: false, node, problem } satisfies AnswerHead, ''))
      if (call && !NOT_TRIED.has(problem.kind)) {
        onPredicted({ head, call, tookMs: clock.now() - since, outcome: { problem } })
      }
    } finally {
      cancelTimer()
      this.#bytes -= message.data.byteLength
      if (this.#running.get(head.id) === aborting) this.#running.delete(head.id)
      if (this.busy === 0) {
        this.#idle.resolve()
        this.#idle = Promise.withResolvers()
      }
    }
  }

  #find({ model, version }: PredictionHead): LocalModel {
    const found = this.#options.models.find(model, version)
    if (isModel(found)) return found
    throw new ProblemError(found)
  }
}

const FULL: Problem = {
  kind: 'queue-full',
  detail: 'The node has as many predictions in hand as it takes.',
  retryAfterMs: RETRY_AFTER_MS,
}

const answerTooLarge = (bytes: number): Problem => ({
  kind: 'too-large',
  detail: `The answer has ${bytes} bytes, and ${MAX_FRAME_BYTES} go through at once. Ask for fewer rows or outputs at a time.`,
})
