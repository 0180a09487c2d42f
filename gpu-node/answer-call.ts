import type { InferenceAnswer, InferenceCall } from '@oriel/oip/port'
import { TEXT_OUT } from '@oriel/oip/served-model'
import { resolveParameters } from '@oriel/protocol/parameters'
import { BystanderError } from './bystander-error.ts'
import { generate } from './generation.ts'
import type { LocalModel, ModelRunner } from './model-runner.ts'
import type { Predictor } from './predictor.ts'

/** `parameters` may be lists, which the Open Inference Protocol has not. */
export type Call = Pick<InferenceCall, 'inputs' | 'outputs'> & {
  readonly parameters: Readonly<Record<string, unknown>>
}

export interface AnswerOptions {
  readonly predictor: Predictor
  /** Of models that generate. */
  readonly runner: ModelRunner
  /** ms since the epoch */
  readonly now: () => number
}

/** Tries of a prediction that was lost with a host through no fault of its own. */
const TRIES = 3

/**
 * One call of the Open Inference Protocol, answered by a model of this node.
 * @throws ProblemError what `Predictor` and `ModelRunner` throw; invalid-parameter; `AbortError`
 */
export function answerCall(
  options: AnswerOptions,
  model: LocalModel,
  call: Call,
  signal: AbortSignal,
): Promise<InferenceAnswer> {
  return model.manifest.engine === 'text-generation'
    ? whole(model, generate(options.runner, model, call, options.now(), signal))
    : predict(options, model, call, signal)
}

/** The same in parts, as they are made. */
export async function* streamCall(
  options: AnswerOptions,
  model: LocalModel,
  call: Call,
  signal: AbortSignal,
): AsyncGenerator<InferenceAnswer> {
  if (model.manifest.engine !== 'text-generation') yield await predict(options, model, call, signal)
  else {
    for await (const text of generate(options.runner, model, call, options.now(), signal)) yield answerOf(model, text)
  }
}

async function predict(
  { predictor }: AnswerOptions,
  model: LocalModel,
  { inputs, outputs, parameters }: Call,
  signal: AbortSignal,
): Promise<InferenceAnswer> {
  const { name, version, parameters: declared } = model.manifest
  if (Object.keys(parameters).length > 0) resolveParameters(declared, parameters)
  for (let tries = 1; ; tries++) {
    try {
      const found = await predictor.predict(model, inputs, outputs ? { outputs, signal } : { signal })
      return { model: name, version, outputs: found }
    } catch (error) {
      if (!(error instanceof BystanderError) || tries === TRIES) throw error
    }
  }
}

async function whole(model: LocalModel, parts: AsyncIterable<string>): Promise<InferenceAnswer> {
  let text = ''
  for await (const part of parts) text += part
  return answerOf(model, text)
}

const answerOf = ({ manifest: { name, version } }: LocalModel, text: string): InferenceAnswer => ({
  model: name,
  version,
  outputs: [{ name: TEXT_OUT, datatype: 'BYTES', shape: [1], values: [text] }],
})
