import { ProblemError } from '@oriel/protocol/problem'
import { classify } from './classification.ts'
import type { Encoded, Message } from './message.ts'
import type { InferenceCall, InferencePort, ModelRef } from './port.ts'
import { decodeRawRequest } from './raw-request.ts'
import type { AnswerForm } from './request.ts'
import { decodeRequest } from './request.ts'
import { encodeResponse } from './response.ts'

/** One inference from bytes to bytes, however they came. @throws ProblemError of the message and of the port */
export async function answerInfer(
  port: InferencePort,
  model: ModelRef,
  message: Message,
  signal: AbortSignal,
): Promise<Encoded> {
  const { call, form } = await decode(port, model, message)
  const answer = await within(form.timeoutMs, signal, (ending) => port.infer(model, call, ending))
  if (!form.outputs?.some(({ classes }) => classes)) return encodeResponse(answer, form)
  const served = await port.describe({ name: answer.model, version: answer.version })
  return encodeResponse(classify(answer, form, served), form)
}

async function decode(
  port: InferencePort,
  model: ModelRef,
  message: Message,
): Promise<{ call: InferenceCall; form: AnswerForm }> {
  if (message.headerLength !== 0) return decodeRequest(message)
  return { call: decodeRawRequest(message.body, await port.describe(model)), form: { binary: true } }
}

async function within<T>(
  ms: number | undefined,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (ms === undefined) return run(signal)
  const timeout = AbortSignal.timeout(Math.ceil(ms))
  try {
    return await run(AbortSignal.any([signal, timeout]))
  } catch (cause) {
    // What a port makes of the signal ("the caller has left") is true of callers only.
    if (!timeout.aborted || signal.aborted) throw cause
    throw new ProblemError({ kind: 'deadline-exceeded', detail: 'The timeout of the request is over.' }, { cause })
  }
}
