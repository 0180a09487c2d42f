import { itemOfTensors, tensorsOfItem } from '@oriel/protocol/item'
import { signatureOf } from '@oriel/protocol/signature'
import type { NamedTensor } from '@oriel/protocol/tensor'
import type { ModelHosts } from './model-hosts.ts'
import type { ModelRunner, Output, Run } from './model-runner.ts'
import type { Predictor } from './predictor.ts'
import { Suspects } from './suspects.ts'

export interface LocalRunnerOptions {
  /** For models that answer with a stream. */
  readonly streams: ModelRunner
  /** For all others: a job shares its run with whoever else asks for the model. */
  readonly predictor: Predictor
  readonly hosts: ModelHosts
}

/** Runs jobs: what a model answers with decides how. A job that has cost a host runs in one of its own from then on. */
export class LocalRunner implements ModelRunner {
  readonly #options: LocalRunnerOptions
  readonly #suspects = new Suspects()

  constructor(options: LocalRunnerOptions) {
    this.#options = options
  }

  async run(run: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void> {
    if (!signatureOf(run.model.manifest)) return this.#options.streams.run(run, emit, signal)
    const outputs = await this.#infer(run, signal)
    signal.throwIfAborted()
    emit({ response: itemOfTensors(run.model.manifest, outputs) })
  }

  async #infer({ id, model, input }: Run, signal: AbortSignal): Promise<readonly NamedTensor[]> {
    const { predictor, hosts } = this.#options
    const inputs = tensorsOfItem(model.manifest, input)
    try {
      const outputs = this.#suspects.has(id)
        ? await hosts.inferAlone(model, { inputs, outputs: undefined }, signal)
        : await predictor.predict(model, inputs, { signal, patient: true })
      this.#suspects.ran(id, undefined)
      return outputs
    } catch (error) {
      this.#suspects.ran(id, error)
      throw error
    }
  }
}
