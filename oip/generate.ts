import { describeIssues } from '@oriel/protocol/problem'
import type { NamedTensor } from '@oriel/protocol/tensor'
import * as v from 'valibot'
import { parseExactJson, parseJson } from './exact-json.ts'
import { jsonOfValues, valuesOfJson } from './json-values.ts'
import { decodeText, refuse } from './message.ts'
import { Parameters } from './parameters.ts'
import type { InferenceAnswer, InferenceCall, ServedModel } from './port.ts'

const Body = v.object({ id: v.optional(v.string()), parameters: v.optional(v.record(v.string(), v.unknown()), {}) })
const Fields = v.record(v.string(), v.unknown())

/**
 * A request of Triton's generate extension: every field named like an input is that input, flat; every other is a
 * parameter, and `parameters` holds more of both.
 *
 * @throws ProblemError invalid-request
 */
export function decodeGenerate(body: Uint8Array, model: ServedModel): InferenceCall {
  const text = decodeText(body, 'The body')
  parseJson(text)
  const fields = parse(Fields, parseExactJson(text))
  const { id, parameters: nested } = parse(Body, fields)
  const { id: _id, parameters: _parameters, ...rest } = fields
  const given = new Map([...Object.entries(rest), ...Object.entries(nested)])
  const inputs: NamedTensor[] = []
  for (const spec of model.inputs) {
    if (!given.has(spec.name)) continue
    const value = given.get(spec.name)
    given.delete(spec.name)
    const data: unknown[] = Array.isArray(value) ? value : [value]
    const shape = shapeFor(spec.name, model.maxBatch >= 1 ? [-1, ...spec.shape] : spec.shape, data.length)
    inputs.push({
      name: spec.name,
      datatype: spec.datatype,
      shape,
      values: valuesOfJson(spec.name, spec.datatype, shape, data),
    })
  }
  return { ...(id !== undefined && { id }), parameters: parse(Parameters, Object.fromEntries(given)), inputs }
}

/** The innermost size that varies takes all values that are left, the others are 1. */
function shapeFor(name: string, shape: readonly number[], count: number): number[] {
  let left = count
  for (const size of shape) if (size !== -1) left /= size
  const sizes = shape.toReversed().map((size) => {
    if (size !== -1) return size
    const taken = left
    left = 1
    return taken
  })
  if (left !== 1 || !sizes.every(Number.isSafeInteger)) {
    refuse(`Input ${JSON.stringify(name)}: ${count} values do not make a tensor of shape [${shape}].`)
  }
  return sizes.reverse()
}

/** An answer, or a part of one: outputs by name, and one value without its brackets. */
export function encodeGenerated(answer: InferenceAnswer, id: string | undefined): string {
  const fields = [
    ...(id === undefined ? [] : [`"id":${JSON.stringify(id)}`]),
    `"model_name":${JSON.stringify(answer.model)}`,
    `"model_version":${JSON.stringify(answer.version)}`,
    ...Object.entries(answer.parameters ?? {}).map(
      ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
    ),
    ...answer.outputs.map((tensor) => {
      const values = jsonOfValues(tensor)
      return `${JSON.stringify(tensor.name)}:${tensor.values.length === 1 ? values : `[${values}]`}`
    }),
  ]
  return `{${fields.join()}}`
}

function parse<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value)
  if (!parsed.success) refuse(`The request is not one of the generate extension: ${describeIssues(parsed.issues)}.`)
  return parsed.output
}
