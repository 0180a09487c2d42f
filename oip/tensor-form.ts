import type { Datatype } from '@oriel/protocol/manifest'
import { DATATYPES } from '@oriel/protocol/manifest'
import type { NamedTensor } from '@oriel/protocol/tensor'
import * as v from 'valibot'
import { binaryOfValues, valuesOfBinary } from './binary-values.ts'
import { mayNeedExactness, parseExactJson } from './exact-json.ts'
import { jsonOfValues, valuesOfJson } from './json-values.ts'
import { refuse } from './message.ts'
import { ByteCount, Shape } from './parameters.ts'

/** A tensor in a request or response: its values are in `data`, or in the body after the JSON. */
export const TensorForm = v.object({
  name: v.string(),
  datatype: v.string(),
  shape: Shape,
  parameters: v.nullish(
    v.object({ binary_data_size: v.optional(ByteCount), shared_memory_region: v.optional(v.unknown()) }),
  ),
  data: v.optional(v.unknown()),
})
export type TensorForm = v.InferOutput<typeof TensorForm>

const known: ReadonlySet<string> = new Set(DATATYPES)
const isDatatype = (text: string): text is Datatype => known.has(text)

/**
 * The tensors of a message. `tail` must be used up: what is left over was meant for a tensor that is not declared.
 * @throws ProblemError invalid-request
 */
export function readTensors(forms: readonly TensorForm[], tail: Uint8Array): NamedTensor[] {
  let at = 0
  const tensors = forms.map(({ name, datatype, shape, parameters, data }): NamedTensor => {
    const size = parameters?.binary_data_size
    if (parameters?.shared_memory_region !== undefined) wrong(name, 'shared memory is not supported; send the data')
    if ((size === undefined) === (data === undefined)) {
      wrong(name, 'needs either "data" or the parameter "binary_data_size"')
    }
    if (!isDatatype(datatype)) wrong(name, unknownDatatype(datatype))
    if (size === undefined) return { name, datatype, shape, values: valuesOfJson(name, datatype, shape, data) }
    if (at + size > tail.byteLength) {
      wrong(name, `binary_data_size is ${size}, but only ${tail.byteLength - at} bytes of the body are left`)
    }
    const bytes = tail.subarray(at, at + size)
    at += size
    return { name, datatype, shape, values: valuesOfBinary(name, datatype, shape, bytes) }
  })
  if (at < tail.byteLength) refuse(`${tail.byteLength - at} bytes of binary data belong to no tensor.`)
  return tensors
}

const Exact = v.record(v.string(), v.unknown())
const ExactForms = v.array(v.object({ data: v.optional(v.unknown()) }))

/** The tensors under `key`, with the data of 64-bit integers parsed again where a double may have lost some of it. */
export function exactForms(forms: readonly TensorForm[], key: string, json: string): readonly TensorForm[] {
  const suspect = forms.some(({ datatype, data }) => datatype.endsWith('INT64') && data !== undefined)
  if (!suspect || !mayNeedExactness(json)) return forms
  const exact = v.parse(ExactForms, v.parse(Exact, parseExactJson(json))[key])
  return forms.map((form, index) => ({ ...form, data: exact[index]?.data }))
}

/** One tensor's JSON; in binary its bytes are added to `tails`. */
export function writeTensor(tensor: NamedTensor, tails: Uint8Array[] | undefined): string {
  const head = `{"name":${JSON.stringify(tensor.name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape}]`
  if (!tails) return `${head},"data":[${jsonOfValues(tensor)}]}`
  const bytes = binaryOfValues(tensor)
  tails.push(bytes)
  return `${head},"parameters":{"binary_data_size":${bytes.byteLength}}}`
}

const unknownDatatype = (datatype: string): string =>
  datatype === 'BF16'
    ? 'BF16 is not supported, because ONNX Runtime cannot take it from JavaScript; convert to FP32 or FP16'
    : `unknown datatype; one of ${DATATYPES.join(', ')}`

function wrong(name: string, rule: string): never {
  refuse(`Tensor ${JSON.stringify(name)}: ${rule}.`)
}
