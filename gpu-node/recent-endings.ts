import type { Clock } from './clock.ts'
import { type Ending, tellEnding } from './ending.ts'
import { LogAuthor } from './log-author.ts'
import type { Logger } from './logger.ts'
import type { Outcomes } from './outcomes.ts'
import type { RequestLog } from './request-log.ts'

/** Twice as long as the broker may keep what it was told from the disk. */
const KEPT_MS = 4 * 60_000
/** Of JSON, all together; the oldest go first. */
const KEPT_CHARS = 16 * 1024 * 1024
/** Logs that are written again at a time. */
const WIDTH = 16

export interface RecentEndingsOptions {
  readonly log: RequestLog
  readonly outcomes: Outcomes
  readonly clock: Clock
  readonly logger: Logger
}

/** What ended on this node a while ago: should the broker lose it, it is told again, with the numbers clients have. */
export class RecentEndings {
  readonly #options: RecentEndingsOptions
  /** The oldest first. */
  readonly #kept = new Map<string, { readonly ending: Ending; readonly until: number; readonly chars: number }>()
  #chars = 0
  #lossNoticed = false

  constructor(options: RecentEndingsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#kept.size
  }

  keep(ending: Ending): void {
    const now = this.#options.clock.now()
    this.#drop(ending.job.id)
    const chars = JSON.stringify(ending.events).length
    this.#kept.set(ending.job.id, { ending, until: now + KEPT_MS, chars })
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
    const endings = [...this.#kept.values()].map(({ ending }) => ending)
    const last = endings.pop()
    if (!last) return
    const kept = (await this.#verify(last, signal)) === 'kept'
    if (kept && !this.#lossNoticed) return
    const next = endings.values()
    const lane = async () => {
      for (const ending of next) await this.#verify(ending, signal)
    }
    await Promise.all(Array.from({ length: WIDTH }, lane))
    this.#lossNoticed = false
    this.#options.logger.warn('the broker had lost what ended lately', { requests: endings.length + 1 })
  }

  async #verify(ending: Ending, signal: AbortSignal): Promise<'kept' | 'lost'> {
    const { log, clock, outcomes } = this.#options
    const { id, shard } = ending.job
    let restored = false
    const onRestored = () => {
      restored = true
    }
    const loss = await LogAuthor.remembered({ log, shard, id, clock, signal, onRestored }, ending.events).verify()
    if (restored || this.#lossNoticed) await tellEnding(outcomes, ending, signal)
    return !restored && loss?.reason === 'ended' ? 'kept' : 'lost'
  }

  #drop(id: string): void {
    this.#chars -= this.#kept.get(id)?.chars ?? 0
    this.#kept.delete(id)
  }
}
