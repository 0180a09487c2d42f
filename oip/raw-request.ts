import { bytesPerValue, countOf } from '@oriel/protocol/tensor'
import { valuesOfBinary } from './binary-values.ts'
import { decodeText, refuse } from './message.ts'
import type { InferenceCall, ServedModel } from './port.ts'

/**
 * A body with no JSON at all is the one input of the model, of one row; its only size that varies follows from the bytes.
 * A text is the body itself.
 *
 * @throws ProblemError invalid-request
 */
export function decodeRawRequest(body: Uint8Array, model: ServedModel): InferenceCall {
  const [input, ...others] = model.inputs
  if (!input || others.length > 0) refuse(`A body without JSON needs a model with one input; ${model.name} has more.`)
  const { name, datatype } = input
  const whole = model.maxBatch >= 1 ? [1, ...input.shape] : input.shape
  if (datatype === 'BYTES') {
    const shape = whole.map((size) => (size === -1 ? 1 : size))
    if (countOf(shape) !== 1) refuse(`Input "${name}" takes more than one text, so that it needs the JSON.`)
    return { parameters: {}, inputs: [{ name, datatype, shape, values: [decodeText(body, 'The body')] }] }
  }
  const fixed = countOf(whole.filter((size) => size !== -1)) * bytesPerValue(datatype)
  if (whole.filter((size) => size === -1).length > 1) refuse(`Input "${name}" has several sizes that vary.`)
  const shape = whole.map((size) => (size === -1 ? Math.floor(body.byteLength / fixed) : size))
  return { parameters: {}, inputs: [{ name, datatype, shape, values: valuesOfBinary(name, datatype, shape, body) }] }
}
