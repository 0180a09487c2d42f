import type { RequestEvent } from '@oriel/protocol/event'
import type { Job } from '@oriel/protocol/job'
import type { Clock } from './clock.ts'
import { type Ending, tellEnding } from './ending.ts'
import { LogAuthor } from './log-author.ts'
import type { Logger } from './logger.ts'
import type { Outcomes } from './outcomes.ts'
import type { RequestLog } from './request-log.ts'
import { sameEvent } from './same-event.ts'

/** Twice as long as the broker may keep what it was told from the disk. */
const KEPT_MS = 4 * 60_000
/** Of JSON, all together; the oldest go first. */
const KEPT_CHARS = 16 * 1024 * 1024
/** Logs that are written again at a time. */
const WIDTH = 16

export interface RecentLogsOptions {
  readonly log: RequestLog
  readonly outcomes: Outcomes
  readonly clock: Clock
  readonly logger: Logger
}

interface Kept {
  readonly job: Job
  /** The whole log, as far as this node knows it. */
  readonly events: readonly RequestEvent[]
  /** What the others were told, if the request ended here. */
  readonly ending: Ending | undefined
  readonly until: number
  readonly chars: number
}

/**
 * The logs that this node ended or gave back a while ago: should the broker lose them, it gets them again, with the
 * numbers that clients have.
 */
export class RecentLogs {
  readonly #options: RecentLogsOptions
  /** The oldest first. */
  readonly #kept = new Map<string, Kept>()
  #chars = 0
  #lossNoticed = false

  constructor(options: RecentLogsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#kept.size
  }

  keep(job: Job, events: readonly RequestEvent[], ending?: Ending): void {
    const now = this.#options.clock.now()
    this.#drop(job.id)
    const chars = JSON.stringify(events).length
    this.#kept.set(job.id, { job, events, ending, until: now + KEPT_MS, chars })
    this.#chars += chars
    for (const [id, { until }] of this.#kept) {
      if (until > now && this.#chars <= KEPT_CHARS) break
      this.#drop(id)
    }
  }

  /** A run that goes on has found out: the last log may be there again, and those before it are not. */
  noticeLoss(): void {
    this.#lossNoticed = true
  }

  /** After a reconnect. What a broker loses is the end of its streams: when it has the last log, it has them all. */
  async verify(signal: AbortSignal): Promise<void> {
    const all = [...this.#kept.values()]
    const last = all.pop()
    if (!last) return
    const kept = (await this.#verify(last, signal)) === 'kept'
    if (kept && !this.#lossNoticed) return
    const next = all.values()
    const lane = async () => {
      for (const kept of next) await this.#verify(kept, signal)
    }
    await Promise.all(Array.from({ length: WIDTH }, lane))
    this.#lossNoticed = false
    this.#options.logger.warn('the broker had lost logs of late', { logs: all.length + 1 })
  }

  async #verify({ job, events, ending }: Kept, signal: AbortSignal): Promise<'kept' | 'lost'> {
    const { log, clock, outcomes } = this.#options
    const { id, shard } = job
    let restored = false
    const onRestored = () => {
      restored = true
    }
    const author = LogAuthor.remembered({ log, shard, id, clock, signal, onRestored }, events)
    await author.verify()
    if (ending && (restored || this.#lossNoticed)) await tellEnding(outcomes, ending, signal)
    // Another log may stand where it was.
    const last = events.at(-1)
    const isThere = author.events.some((event) => last && event.n === last.n && sameEvent(event, last))
    return isThere && !restored ? 'kept' : 'lost'
  }

  #drop(id: string): void {
    this.#chars -= this.#kept.get(id)?.chars ?? 0
    this.#kept.delete(id)
  }
}
