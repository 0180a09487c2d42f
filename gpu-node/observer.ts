import type { ProblemKind } from '@oriel/protocol/problem'
import type { BatchDone } from './batching/batcher.ts'
import type { LocalModel } from './model-runner.ts'

/** What a node tells of its work as it happens, for metrics and statistics. Nothing here may throw or take long. */
export interface Observer {
  ran(model: LocalModel, done: BatchDone): void
  /** A request has its answer, or its problem, or was cancelled by its caller. */
  answered(model: LocalModel, outcome: ProblemKind | 'ok' | 'cancelled', tookMs: number): void
  /** Into memory. @param bytes of its files */
  loaded(model: LocalModel, tookMs: number, bytes: number): void
  unloaded(model: LocalModel): void
  hostLost(): void
}
