import { endedFacts } from '@oriel/protocol/fact'
import { toProblem } from '@oriel/protocol/problem'
import type { Delivery } from './delivery.ts'
import type { JobContext } from './job-context.ts'
import { type Poison, parseJob } from './job-message.ts'
import { JobRun } from './job-run.ts'
import { LogAuthor } from './log-author.ts'
import { RecentLogs } from './recent-logs.ts'

/** The jobs that this node has in hand. */
export class JobRunner {
  readonly #context: JobContext
  readonly #runs = new Map<string, JobRun>()
  readonly #abandon = new AbortController()
  readonly #work = new Set<Promise<void>>()

  constructor(context: Omit<JobContext, 'recent'>) {
    this.#context = { ...context, recent: new RecentLogs(context) }
  }

  get busy(): number {
    return this.#work.size
  }

  /** Resolves when nothing is in hand. */
  async idle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work)
  }

  /** Takes one delivery to its settlement. Never throws. */
  async deliver(delivery: Delivery): Promise<void> {
    const work = this.#take(delivery)
    this.#work.add(work)
    await work
    this.#work.delete(work)
  }

  async #take(delivery: Delivery): Promise<void> {
    const parsed = parseJob(delivery.data)
    if ('poison' in parsed) return this.#discard(delivery, parsed.poison)
    const { job } = parsed
    const running = this.#runs.get(job.id)
    if (running) return running.join(delivery)
    const run = new JobRun(this.#context, job, delivery, this.#abandon.signal)
    this.#runs.set(job.id, run)
    try {
      await run.run()
    } finally {
      this.#runs.delete(job.id)
    }
  }

  cancel(id: string): void {
    this.#runs.get(id)?.cancel()
  }

  /** Tells the broker that every job in hand is still worked on. */
  working(): void {
    for (const run of this.#runs.values()) run.working()
  }

  /** After a reconnect: what the broker may have lost is written again. Never throws. */
  async verify(): Promise<void> {
    const { recent, logger } = this.#context
    const signal = this.#abandon.signal
    await Promise.all([...this.#runs.values()].map((run) => run.verify()))
    await recent.verify(signal).catch((cause) => {
      if (!signal.aborted) logger.warn('the logs of late could not be verified', { cause })
    })
  }

  /** Stops every run; what it has said is in the log, and another node goes on from there. */
  handBack(): void {
    for (const run of this.#runs.values()) run.stop({ kind: 'handed-back' })
  }

  /** Lets go of everything as it is, also of what waits for a broker that is away. */
  abandon(): void {
    this.#abandon.abort()
    this.handBack()
  }

  async #discard(delivery: Delivery, poison: Poison): Promise<void> {
    const { clock, node, outcomes, logger } = this.#context
    const { problem, message, about } = poison
    const signal = this.#abandon.signal
    const model = delivery.subject.slice(delivery.subject.lastIndexOf('.') + 1)
    const id = about?.id ?? `sequence-${delivery.sequence}`
    logger.error('a message is not a job', { subject: delivery.subject, id, detail: problem.detail })
    try {
      const entry = { at: clock.now(), node, deliveries: delivery.count, problem, attempts: [], message }
      await outcomes.dead(model, id, 'unreadable', entry, signal)
      if (about) await this.#failUnread(about)
      delivery.term(problem.kind)
    } catch (cause) {
      if (!signal.aborted) logger.error('a message could not be discarded', { id, cause })
    }
  }

  /** The client of a job that nobody can read waits all the same. */
  async #failUnread({ id, shard }: NonNullable<Poison['about']>): Promise<void> {
    const { log, clock, outcomes } = this.#context
    const signal = this.#abandon.signal
    const author = await LogAuthor.read({ log, shard, id, clock, signal })
    await author.append({ type: 'failed', problem: toProblem(undefined), retriable: false })
    if (author.state.terminal) await outcomes.ended(endedFacts(id, await author.whole()), signal)
  }
}
