import type { InferenceAnswer, InferenceCall } from '@oriel/oip/port'
import { ProblemError } from '@oriel/protocol/problem'
import { BystanderError } from './bystander-error.ts'
import type { LocalModel } from './model-runner.ts'
import type { Predictor } from './predictor.ts'

/** Tries of a prediction that was lost with a host through no fault of its own. */
const TRIES = 3

/**
 * One call of the Open Inference Protocol, answered by a model of this node.
 * @throws ProblemError what `Predictor` throws; invalid-parameter; `AbortError`
 */
export async function answerCall(
  predictor: Predictor,
  model: LocalModel,
  { inputs, outputs, parameters }: InferenceCall,
  signal: AbortSignal,
): Promise<InferenceAnswer> {
  const { name, version } = model.manifest
  const [parameter] = Object.keys(parameters)
  if (parameter !== undefined) {
    throw new ProblemError({ kind: 'invalid-parameter', detail: `parameters.${parameter}: the model takes none.` })
  }
  for (let tries = 1; ; tries++) {
    try {
      const found = await predictor.predict(model, inputs, outputs ? { outputs, signal } : { signal })
      return { model: name, version, outputs: found }
    } catch (error) {
      if (!(error instanceof BystanderError) || tries === TRIES) throw error
    }
  }
}
