import type { NamedTensor } from '@oriel/protocol/tensor'
import type { LocalModel, Output, Run } from '../model-runner.ts'

/** What of a run the model sees. */
export type Task = Pick<Run, 'input' | 'parameters' | 'seed' | 'prior'>

export interface Surroundings {
  /** Outputs of the run, in order. */
  readonly emit: (output: Output) => void
  /** Aborted: the run rejects with `AbortError` before its next step and emits nothing more. */
  readonly signal: AbortSignal
  /**
   * All work that holds the thread goes through here: a host does one step at a time, in the order asked for,
   * so runs take turns, and a host that dies or hangs in a step is known to have done so for this run.
   */
  readonly step: <T>(work: () => T | Promise<T>) => Promise<T>
}

/** A model in memory that answers each request with a stream. */
export interface StreamSession {
  readonly kind: 'stream'
  /** @throws ProblemError input-mismatch, inference-failed; AbortError */
  run(task: Task, around: Surroundings): Promise<void>
  dispose(): Promise<void>
}

/** A model in memory that answers many requests at a time, each a row or several, in one step. */
export interface BatchSession {
  readonly kind: 'batch'
  /**
   * @param inputs checked against the manifest's signature
   * @param outputs names of those that are wanted; without it, all that the manifest declares (or else the graph has)
   * @returns where the model batches, as many rows as went in, in their order
   * @throws ProblemError input-mismatch, inference-failed
   */
  infer(inputs: readonly NamedTensor[], outputs?: readonly string[]): Promise<NamedTensor[]>
  dispose(): Promise<void>
}

/** A model in memory. */
export type Session = StreamSession | BatchSession

export interface EngineOptions {
  /** Threads that one operator of a graph may use. */
  readonly threads: number
}

export interface Engine<S extends Session = Session> {
  /** @throws ProblemError model-unavailable, model-damaged: which file, and what is wrong with it */
  load(model: LocalModel, options: EngineOptions): Promise<S>
}
