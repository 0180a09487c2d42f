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

/** A model in memory. */
export interface Session {
  /** @throws ProblemError input-mismatch, inference-failed; AbortError */
  run(task: Task, around: Surroundings): Promise<void>
  dispose(): Promise<void>
}

export interface EngineOptions {
  /** Threads that one operator of a graph may use. */
  readonly threads: number
}

export interface Engine {
  /** @throws ProblemError model-unavailable, model-damaged: which file, and what is wrong with it */
  load(model: LocalModel, options: EngineOptions): Promise<Session>
}
