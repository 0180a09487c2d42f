import type { ProblemKind } from '@oriel/protocol/problem'
import type { BatchDone } from './batching/batcher.ts'
import type { LocalModel } from './model-runner.ts'

/** What a node tells of its work as it happens, for metrics and statistics. Nothing here may throw or take long. */
export interface Observer extends MemoryObserver {
  ran(model: LocalModel, done: BatchDone): void
  /** A request has its answer, or its problem, or was cancelled by its caller. */
  answered(model: LocalModel, outcome: ProblemKind | 'ok' | 'cancelled', tookMs: number): void
  /** It is served no more. */
  unloaded(model: LocalModel): void
  hostLost(): void
}

/** What a node tells of the memory of its hosts. */
export interface MemoryObserver {
  /** A request, or somebody else, wanted a model that was not in memory. */
  missed(model: LocalModel): void
  /** Into memory. @param bytes of its files */
  loaded(model: LocalModel, tookMs: number, bytes: number): void
  /** Out of memory, to make room. */
  evicted(model: LocalModel): void
  /** A host had grown too large, and another took its place. */
  recycled(host: string): void
}
