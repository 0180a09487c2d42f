import type { Msg, Subscription } from '@nats-io/nats-core'
import type { ProblemKind } from '@oriel/protocol/problem'
import { describeIssues, ProblemError, toProblem } from '@oriel/protocol/problem'
import { warmedSubject, warmSubject } from '@oriel/protocol/subjects'
import { WARM_BEAT_MS, type WarmAnswer, WarmOrder } from '@oriel/protocol/warm-up'
import * as v from 'valibot'
import { BystanderError } from './bystander-error.ts'
import type { Logger } from './logger.ts'
import type { LocalModel } from './model-runner.ts'
import { isModel, type ModelShelf } from './model-shelf.ts'
import type { NatsLink } from './nats-link.ts'

const Order = v.pipe(v.string(), v.parseJson(), WarmOrder)

/** What a version is to blame for, whichever node has it. */
const UNFIT: readonly ProblemKind[] = ['model-unavailable', 'model-damaged', 'host-crashed', 'host-hung']

export interface WarmUpsOptions {
  readonly node: string
  readonly link: NatsLink
  readonly models: Pick<ModelShelf, 'find'>
  /** Into memory, and run once. */
  readonly load: (model: LocalModel) => Promise<void>
  /** The others are to hear that it is there. */
  readonly onWarm: () => void
  readonly logger: Logger
}

/** Brings versions into memory before requests for them come. */
export class WarmUps {
  readonly #options: WarmUpsOptions
  #subscription: Subscription | undefined

  constructor(options: WarmUpsOptions) {
    this.#options = options
  }

  run(): void {
    const { link, node } = this.#options
    const callback = (_: unknown, message: Msg) => void this.#take(message)
    this.#subscription = link.nc.subscribe(warmSubject(node), { callback })
  }

  stop(): void {
    if (!this.#options.link.nc.isClosed()) this.#subscription?.unsubscribe()
  }

  async #take(message: Msg): Promise<void> {
    const { logger, onWarm } = this.#options
    const order = v.safeParse(Order, message.string())
    if (!order.success) return logger.error('a warm-up cannot be read', { detail: describeIssues(order.issues) })
    this.#say(order.output, { kind: 'working' })
    const beat = setInterval(() => this.#say(order.output, { kind: 'working' }), WARM_BEAT_MS)
    try {
      const answer = await this.#warm(order.output)
      logger.info('a version was warmed up', { ...order.output, ...answer })
      if (answer.kind === 'warm') onWarm()
      this.#say(order.output, answer)
    } finally {
      clearInterval(beat)
    }
  }

  async #warm({ model, version }: WarmOrder): Promise<WarmAnswer> {
    try {
      const found = this.#options.models.find(model, version)
      if (!isModel(found)) throw new ProblemError(found)
      await this.#options.load(found)
      return { kind: 'warm' }
    } catch (error) {
      const problem = toProblem(error)
      const isUnfit = UNFIT.includes(problem.kind) && !(error instanceof BystanderError)
      return { kind: isUnfit ? 'unfit' : 'unable', problem }
    }
  }

  #say({ model, version }: WarmOrder, answer: WarmAnswer): void {
    const { link, node } = this.#options
    if (!link.nc.isClosed()) link.nc.publish(warmedSubject(node, model, version), JSON.stringify(answer))
  }
}
