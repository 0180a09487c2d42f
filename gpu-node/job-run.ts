import type { NewEvent } from '@oriel/protocol/event'
import { failedBy } from '@oriel/protocol/failure'
import type { Job } from '@oriel/protocol/job'
import { attemptsSpent } from '@oriel/protocol/log'
import type { Manifest } from '@oriel/protocol/manifest'
import { type Problem, ProblemError, toProblem } from '@oriel/protocol/problem'
import { MAX_DELIVER } from '@oriel/protocol/streams'
import { BystanderError } from './bystander-error.ts'
import { Deliveries } from './deliveries.ts'
import type { Delivery } from './delivery.ts'
import { endingOf, tellEnding } from './ending.ts'
import type { JobContext } from './job-context.ts'
import { LogAuthor, type Loss } from './log-author.ts'
import { isRelays } from './log-standing.ts'
import type { LocalModel } from './model-runner.ts'
import { isModel } from './model-shelf.ts'
import { openingEvent, priorOf } from './opening.ts'
import { ProgressWriter } from './progress-writer.ts'
import { seedOf } from './seed.ts'
import { backoffMs, settle } from './settle.ts'

/*
 * opening ──started──▶ running ──▶ settling ──▶ settled
 *    └── nothing left to run, or not ours ──▶ settling
 */

export type Stop =
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'handed-back' } // the node is leaving: another goes on
  | { readonly kind: 'lost'; readonly loss: Loss }
  | { readonly kind: 'failed'; readonly error: unknown }

type Outcome = Stop | { readonly kind: 'completed' }

/** ms. A job that this node cannot run comes back no later: the model may be on another node by then. */
const LAST_ELSEWHERE_MS = 10_000
/** ms. For a node that lost its broker to find it again, and to see what it has lost. */
const RESTORE_MS = 2_000
const LEAVING: Problem = { kind: 'unavailable', detail: 'The node that ran the request was stopped.' }

/** One job on this node, from its delivery to what the broker is told. */
export class JobRun {
  readonly job: Job
  readonly #context: JobContext
  readonly #signal: AbortSignal
  readonly #deliveries: Deliveries
  readonly #abort = new AbortController()
  readonly #stopped = Promise.withResolvers<Stop>()
  #stop: Stop | undefined
  #author: LogAuthor | undefined
  #writer: ProgressWriter | undefined
  /** From its first word on. */
  #manifest: Manifest | undefined

  /** @param signal gives the job up where it stands, without a word to the broker */
  constructor(context: JobContext, job: Job, delivery: Delivery, signal: AbortSignal) {
    this.#context = context
    this.job = job
    this.#deliveries = new Deliveries(delivery)
    this.#signal = signal
  }

  /** Another delivery of the same request while it runs here, as after a long silence: it shares the outcome. */
  join(delivery: Delivery): Promise<void> {
    return this.#deliveries.add(delivery)
  }

  working(): void {
    this.#deliveries.working()
  }

  /** After a reconnect: should the broker have lost the log, it gets it again. */
  async verify(): Promise<void> {
    try {
      const loss = await this.#author?.verify()
      if (loss) this.stop({ kind: 'lost', loss })
    } catch (cause) {
      if (!this.#signal.aborted) this.#context.logger.warn('a log could not be verified', { id: this.job.id, cause })
    }
  }

  /** The edge stops a request with the same word when it cancels it and when its time is up. */
  cancel(): void {
    this.stop({ kind: this.#context.clock.now() < this.job.deadlineAt ? 'cancelled' : 'expired' })
  }

  /** The first reason counts. */
  stop(why: Stop): void {
    if (this.#stop) return
    this.#stop = why
    this.#stopped.resolve(why)
    this.#abort.abort()
  }

  /** Resolves when the broker knows the outcome and the model is free. Never throws. */
  async run(): Promise<void> {
    try {
      await this.#attempt()
    } catch (error) {
      await this.#giveUp(() => this.#fail(error))
    }
  }

  async #attempt(): Promise<void> {
    const { job } = this
    const { clock, node } = this.#context
    const author = await this.#open()
    const found = this.#context.models.find(job.model, job.version)
    const manifest = isModel(found) ? found.manifest : undefined
    if (this.#mayBeRestored(author)) return this.#deliveries.settle((delivery) => delivery.nak(RESTORE_MS))
    const due = author.state.terminal !== undefined || clock.now() >= job.deadlineAt
    if (!isModel(found) && !due) return this.#elsewhere(found)
    const loss = await author.append((state) => openingEvent(job, manifest, node, clock.now(), state, author.events))
    if (loss) return this.#lost(loss)
    if (author.state.terminal || !isModel(found)) return this.#conclude()
    await this.#runModel(author, found)
  }

  /** It is sent again because its log was lost: whoever had it may still be there, and about to write it again. */
  #mayBeRestored({ events }: LogAuthor): boolean {
    return this.job.dispatch > 1 && this.#deliveries.count === 1 && events.every(isRelays)
  }

  async #open(): Promise<LogAuthor> {
    const { job } = this
    const { log, clock } = this.#context
    const delivery = () => this.#deliveries.ackSubject(log.epoch)
    const onRestored = () => this.#restored()
    const options = { log, shard: job.shard, id: job.id, clock, signal: this.#signal, delivery, onRestored }
    const first = job.dispatch === 1 && this.#deliveries.count === 1
    this.#author =
      first && job.log ? LogAuthor.hinted(options, job.log) : await LogAuthor.read(options, job.log?.events.at(-1)?.n)
    return this.#author
  }

  #restored(): void {
    const { log, logger, recent } = this.#context
    logger.warn('a log that the broker had lost was written again', { id: this.job.id })
    this.#deliveries.dropBefore(log.epoch)
    recent.noticeLoss()
  }

  async #runModel(author: LogAuthor, model: LocalModel): Promise<void> {
    this.#manifest = model.manifest
    const { id, input, parameters, deadlineAt } = this.job
    const { clock, runner, coalesceMs, progressMs } = this.#context
    const onStop = (why: Loss | ProblemError) =>
      this.stop(why instanceof ProblemError ? { kind: 'failed', error: why } : { kind: 'lost', loss: why })
    const writer = new ProgressWriter({ author, clock, coalesceMs, progressMs, onStop })
    this.#writer = writer
    const disarm = clock.setTimer(Math.max(0, deadlineAt - clock.now()), () => this.stop({ kind: 'expired' }))
    const run = { id, model, input, parameters, seed: seedOf(id, parameters), prior: priorOf(author.events) }
    const emit = (output: Parameters<ProgressWriter['emit']>[0]) => {
      if (!this.#stop) writer.emit(output)
    }
    const ran = this.#stop
      ? Promise.resolve(this.#stop)
      : runner.run(run, emit, this.#abort.signal).then(
          (): Outcome => ({ kind: 'completed' }),
          (error: unknown): Outcome => ({ kind: 'failed', error }),
        )
    const outcome = await Promise.race([this.#stopped.promise, ran])
    disarm()
    try {
      await this.#settle(outcome, writer)
    } finally {
      await ran
    }
  }

  async #settle(outcome: Outcome, writer: ProgressWriter): Promise<void> {
    switch (outcome.kind) {
      case 'completed':
      case 'cancelled':
      case 'expired':
        return this.#end({ type: outcome.kind })
      case 'failed':
        return this.#fail(outcome.error)
      case 'lost':
        await writer.close()
        return this.#lost(outcome.loss)
      case 'handed-back':
        return this.#retry(LEAVING, 0, 'free')
    }
  }

  /** This node cannot even begin: nothing was attempted, and another may have the model. */
  async #elsewhere(problem: Problem): Promise<void> {
    const { count } = this.#deliveries
    if (count >= MAX_DELIVER) return this.#end(failedBy(problem))
    const delayMs = this.#untilDeadline(backoffMs(count, LAST_ELSEWHERE_MS, this.#context.random()))
    await this.#deliveries.settle((delivery) => delivery.nak(delayMs))
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#signal.aborted) return this.#deliveries.leave()
    const { id, model } = this.job
    const { logger, random } = this.#context
    const problem = toProblem(error)
    const about = { id, model, kind: problem.kind, attempt: this.#author?.state.attempt ?? 0 }
    if (problem.kind === 'internal') logger.error('a job failed by a bug', { ...about, cause: error })
    else logger.warn('a job failed', { ...about, detail: problem.detail })
    // Nothing was tried when there was no room for it.
    if (error instanceof BystanderError || problem.kind === 'queue-full') {
      return this.#retry(problem, this.#untilDeadline(problem.retryAfterMs ?? 0), 'free')
    }
    const settlement = settle(problem, ...this.#spending(), random())
    if (settlement.verdict === 'fail') return this.#end(failedBy(problem))
    return this.#retry(problem, this.#untilDeadline(settlement.delayMs), 'charged')
  }

  /** Attempts that count, with this one, and how many there may be. Before the first word only deliveries tell. */
  #spending(): [spent: number, budget: number] {
    if (!this.#author || !this.#manifest) return [this.#deliveries.count, MAX_DELIVER]
    return [attemptsSpent(this.#author.state), this.#manifest.limits.attempts]
  }

  // The delivery after the deadline is the one that ends it; it is not put off.
  #untilDeadline(delayMs: number): number {
    return Math.max(0, Math.min(delayMs, this.job.deadlineAt - this.#context.clock.now()))
  }

  /** Gives the job to its next delivery, and says so in the log. An attempt that is free has its number again. */
  async #retry(problem: Problem, inMs: number, cost: 'free' | 'charged'): Promise<void> {
    // The broker would never deliver it again.
    if (this.#deliveries.count >= MAX_DELIVER) return this.#end(failedBy(problem))
    const loss = await this.#writer?.end(({ attempt, nextAttempt }) => {
      return { type: 'retrying', attempt: cost === 'charged' ? nextAttempt : attempt, inMs: Math.round(inMs), problem }
    })
    if (loss) return this.#lost(loss)
    if (this.#author) this.#context.recent.keep(this.job, [...this.#author.events])
    await this.#deliveries.settle((delivery) => delivery.nak(inMs))
  }

  async #end(last: NewEvent): Promise<void> {
    const author = this.#author ?? (await this.#open())
    const loss = await (this.#writer ? this.#writer.end(last) : author.append(last))
    await (loss ? this.#lost(loss) : this.#conclude())
  }

  async #lost(loss: Loss): Promise<void> {
    if (loss.reason === 'ended') return this.#conclude()
    this.#context.logger.warn('a run lost its log', { id: this.job.id, ...loss })
    // A word to the broker from here could take the job from under whoever has it.
    await this.#deliveries.leave()
  }

  /** The log has its terminal event: the record and the broker are told. */
  async #conclude(): Promise<void> {
    const { outcomes, node, recent, log } = this.#context
    const author = this.#author ?? (await this.#open())
    const ending = endingOf(this.job, await author.whole(), node, this.#deliveries.count)
    recent.keep(this.job, ending.events, ending)
    let epoch: number
    do {
      epoch = log.epoch
      // An acknowledgement is of a place in the queue, where another job is if the broker has lost its state.
      if (this.#deliveries.before(epoch)) await author.verify()
      await tellEnding(outcomes, ending, this.#signal)
    } while (epoch !== log.epoch)
    await this.#deliveries.settle((delivery) => delivery.ack())
  }

  /** The last resort: what cannot even be failed is left to its next delivery. */
  async #giveUp(attempt: () => Promise<void>): Promise<void> {
    try {
      await attempt()
    } catch (cause) {
      if (!this.#signal.aborted) this.#context.logger.error('a job could not be settled', { id: this.job.id, cause })
      await this.#deliveries.leave()
    }
  }
}
