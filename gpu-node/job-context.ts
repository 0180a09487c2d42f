import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import type { ModelRunner } from './model-runner.ts'
import type { ModelShelf } from './model-shelf.ts'
import type { Outcomes } from './outcomes.ts'
import type { RecentLogs } from './recent-logs.ts'
import type { RequestLog } from './request-log.ts'

/** All that a job needs of its node. */
export interface JobContext {
  readonly node: string
  readonly log: RequestLog
  readonly outcomes: Outcomes
  /** What ended here lately, or was given back. */
  readonly recent: RecentLogs
  readonly models: ModelShelf
  readonly runner: ModelRunner
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  readonly logger: Logger
  readonly coalesceMs: number
  readonly progressMs: number
}
