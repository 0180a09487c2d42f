import { describeIssues } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { parseJson } from './exact-json.ts'
import type { Encoded, Message } from './message.ts'
import { joinMessage, refuse, splitMessage } from './message.ts'
import { Parameters } from './parameters.ts'
import type { InferenceAnswer } from './port.ts'
import type { AnswerForm } from './request.ts'
import { exactForms, readTensors, TensorForm, writeTensor } from './tensor-form.ts'

/** Built as text: an answer of rows is most of a quick prediction's cost. */
export function encodeResponse(answer: InferenceAnswer, form: AnswerForm): Encoded {
  const tails: Uint8Array[] = []
  const outputs = answer.outputs.map((tensor) => {
    const binary = form.outputs?.findLast(({ name }) => name === tensor.name)?.binary ?? form.binary
    return writeTensor(tensor, binary ? tails : undefined)
  })
  const id = form.id === undefined ? '' : `"id":${JSON.stringify(form.id)},`
  const parameters = answer.parameters ? `"parameters":${JSON.stringify(answer.parameters)},` : ''
  const named = `"model_name":${JSON.stringify(answer.model)},"model_version":${JSON.stringify(answer.version)}`
  return joinMessage(`{${id}${named},${parameters}"outputs":[${outputs.join()}]}`, tails)
}

const Head = v.object({
  id: v.optional(v.string()),
  model_name: v.string(),
  model_version: v.optional(v.string(), ''),
  parameters: v.optional(Parameters),
  outputs: v.array(TensorForm),
})

/** The other way round, for programs that pass an answer on. @throws ProblemError invalid-request */
export function decodeResponse(message: Message): InferenceAnswer & { id?: string } {
  const { json, tail } = splitMessage(message)
  const head = parse(Head, parseJson(json))
  return {
    ...(head.id !== undefined && { id: head.id }),
    model: head.model_name,
    version: head.model_version,
    ...(head.parameters && { parameters: head.parameters }),
    outputs: readTensors(exactForms(head.outputs, 'outputs', json), tail),
  }
}

function parse<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value)
  if (!parsed.success) refuse(`The answer is not one of the Open Inference Protocol: ${describeIssues(parsed.issues)}.`)
  return parsed.output
}
