import { describeIssues } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { parseJson } from './exact-json.ts'
import type { Encoded, Message } from './message.ts'
import { joinMessage, refuse, splitMessage } from './message.ts'
import { Parameters, sortParameters } from './parameters.ts'
import type { InferenceCall } from './port.ts'
import { exactForms, readTensors, TensorForm, writeTensor } from './tensor-form.ts'

/** How the answer is to be written, and until when. */
export type AnswerForm = {
  id?: string
  binary: boolean
  timeoutMs?: number
  /** Absent: all outputs, all in the same form. */
  outputs?: readonly OutputForm[]
}

export type OutputForm = {
  name: string
  /** Absent: as the whole answer. */
  binary?: boolean
  /** How many of the likeliest classes to tell, in place of the values. */
  classes?: number
}

const OutputRequest = v.object({
  name: v.string(),
  parameters: v.nullish(
    v.object({
      binary_data: v.optional(v.boolean()),
      classification: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
      shared_memory_region: v.optional(v.unknown()),
    }),
  ),
})

/** Null is as good as absent: it is what many writers make of it. */
const Head = v.object({
  id: v.nullish(v.string()),
  parameters: v.nullish(Parameters),
  inputs: v.array(TensorForm),
  outputs: v.nullish(v.array(OutputRequest)),
})

/** @throws ProblemError invalid-request, and nothing else whatever the bytes are */
export function decodeRequest(message: Message): { call: InferenceCall; form: AnswerForm } {
  const { json, tail } = splitMessage(message)
  const head = parse(Head, parseJson(json))
  const inputs = readTensors(exactForms(head.inputs, 'inputs', json), tail)
  const names = new Set(inputs.map(({ name }) => name))
  if (names.size < inputs.length) refuse('Two inputs have the same name.')
  const { own, parameters } = sortParameters(head.parameters)
  const id = typeof head.id === 'string' ? { id: head.id } : {}
  const outputs = head.outputs?.length ? head.outputs.map(outputForm) : undefined
  return {
    call: { ...id, parameters, inputs, ...(outputs && { outputs: [...new Set(outputs.map(({ name }) => name))] }) },
    form: { ...id, ...own, ...(outputs && { outputs }) },
  }
}

/** The other way round, for programs that pass a request on. */
export function encodeRequest(call: InferenceCall, form: AnswerForm, options: { binary: boolean }): Encoded {
  const tails: Uint8Array[] | undefined = options.binary ? [] : undefined
  const parameters = {
    ...call.parameters,
    ...(form.binary && { binary_data_output: true }),
    ...(form.timeoutMs !== undefined && { timeout: form.timeoutMs * 1000 }),
  }
  const id = call.id === undefined ? '' : `"id":${JSON.stringify(call.id)},`
  const inputs = call.inputs.map((tensor) => writeTensor(tensor, tails)).join()
  const outputs = form.outputs ? `,"outputs":${JSON.stringify(form.outputs.map(outputRequest))}` : ''
  return joinMessage(`{${id}"parameters":${JSON.stringify(parameters)},"inputs":[${inputs}]${outputs}}`, tails ?? [])
}

function outputForm({ name, parameters }: v.InferOutput<typeof OutputRequest>): OutputForm {
  const { binary_data: binary, classification: classes, shared_memory_region: region } = parameters ?? {}
  if (region !== undefined) refuse(`Output ${JSON.stringify(name)}: shared memory is not supported.`)
  return { name, ...(binary !== undefined && { binary }), ...(classes && { classes }) }
}

const outputRequest = ({ name, binary, classes }: OutputForm): v.InferInput<typeof OutputRequest> => ({
  name,
  parameters: {
    ...(binary !== undefined && { binary_data: binary }),
    ...(classes !== undefined && { classification: classes }),
  },
})

function parse<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value)
  if (!parsed.success)
    refuse(`The request is not one of the Open Inference Protocol: ${describeIssues(parsed.issues)}.`)
  return parsed.output
}
