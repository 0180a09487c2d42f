import type { RequestId } from '@oriel/protocol/ids'
import type { Manifest } from '@oriel/protocol/manifest'
import type { Parameters } from '@oriel/protocol/parameters'

/** A version in a folder on this node's disk. */
export interface LocalModel {
  readonly manifest: Manifest
  /** Absolute path of the folder that holds the manifest and its files. */
  readonly dir: string
  /** Tells apart what one version has been in the life of a node, where its files may be replaced. */
  readonly revision?: number
}

/** One request, run once, as the engines see it. */
export interface Run {
  readonly id: RequestId
  readonly model: LocalModel
  readonly input: unknown
  readonly parameters: Parameters
  /** Keys the sampling of a generation: the caller's seed, else one made from the request's id. */
  readonly seed: number
  /** What the log already holds of a generation: tokens to take as given, and their text that was already sent. */
  readonly prior: { readonly tokens: readonly number[]; readonly text: string }
}

export interface Output {
  /** New text of a generation, a classification, or a tensor model's outputs by name. JSON. */
  readonly response: unknown
  /** Of a generation: the tokens made since the last output, also those whose text is still held back. */
  readonly tokens?: readonly number[]
}

/** The port between jobs and models. `HostPool` runs them in subprocesses; tests run them in memory. */
export interface ModelRunner {
  /**
   * Loads the model if need be and runs it to its end; every output goes to `emit` in order.
   * @throws ProblemError what went wrong; `AbortError` when `signal` was aborted, after which nothing is emitted
   */
  run(run: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void>
}
