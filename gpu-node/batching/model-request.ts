import type { Manifest, TensorSpec } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import { signatureOf } from '@oriel/protocol/signature'
import { countOf, type NamedTensor } from '@oriel/protocol/tensor'

/** A request that its model can take. */
export interface ModelRequest {
  /** In the order of the signature. */
  readonly inputs: readonly NamedTensor[]
  readonly outputs: readonly string[] | undefined
  /** 1 where the model does not batch. */
  readonly rows: number
  /** Of the inputs, about. */
  readonly bytes: number
  /** The same for requests that may share a batch. */
  readonly group: string
}

/**
 * What checks the requests of one model: made once, it looks nothing up that it could know before.
 * @throws ProblemError input-mismatch, naming the tensor and the rule, never a value
 */
export function requestCheck(
  manifest: Manifest,
): (inputs: readonly NamedTensor[], outputs: readonly string[] | undefined) => ModelRequest {
  const signature = signatureOf(manifest)
  if (!signature) {
    return () => mismatch('the model answers with a stream of text, and takes no tensors')
  }
  const { inputs: specs } = signature
  const { maxBatch } = manifest.limits
  const known = signature.outputs.map(({ name }) => name)
  const anyShape = specs.some(({ shape }) => shape.includes(-1))

  return (given, outputs) => {
    const inputs = inOrder(specs, given)
    const rows = maxBatch > 0 ? (inputs[0]?.shape[0] ?? 1) : 1
    if (maxBatch > 0) checkRows(rows, maxBatch)
    for (let index = 0; index < specs.length; index++) {
      // `inOrder` has found one for each.
      checkTensor(specs[index] as TensorSpec, inputs[index] as NamedTensor, maxBatch > 0 ? rows : undefined)
    }
    if (outputs && known.length > 0) for (const name of outputs) checkOutput(name, known)
    return { inputs, outputs, rows, bytes: bytesOf(inputs), group: groupOf(anyShape, inputs, outputs) }
  }
}

function inOrder(specs: readonly TensorSpec[], given: readonly NamedTensor[]): readonly NamedTensor[] {
  if (given.length === specs.length && specs.every(({ name }, index) => given[index]?.name === name)) return given
  const byName = new Map(given.map((tensor) => [tensor.name, tensor]))
  for (const { name } of given) {
    if (!specs.some((spec) => spec.name === name)) mismatch(`input "${name}": unknown; the model takes ${names(specs)}`)
  }
  if (byName.size < given.length) mismatch('an input is given twice')
  return specs.map(({ name }) => byName.get(name) ?? mismatch(`input "${name}": missing`))
}

function checkRows(rows: number, maxBatch: number): void {
  if (rows >= 1 && rows <= maxBatch) return
  mismatch(`${rows} rows; the model takes 1 to ${maxBatch} in one request`)
}

/** @param rows undefined: there is no batch dimension */
function checkTensor(spec: TensorSpec, { name, datatype, shape, values }: NamedTensor, rows: number | undefined): void {
  if (datatype !== spec.datatype) mismatch(`input "${name}": ${datatype}, expected ${spec.datatype}`)
  const ahead = rows === undefined ? 0 : 1
  let fits = shape.length === spec.shape.length + ahead && (rows === undefined || shape[0] === rows)
  for (let at = 0; fits && at < spec.shape.length; at++) {
    const size = shape[at + ahead] ?? -1
    fits = spec.shape[at] === -1 ? size >= 0 : spec.shape[at] === size
  }
  if (!fits) {
    const expected = rows === undefined ? spec.shape : [rows, ...spec.shape]
    mismatch(`input "${name}": shape [${shape.join(', ')}], expected [${expected.join(', ')}]`)
  }
  if (values.length !== countOf(shape)) {
    mismatch(`input "${name}": ${values.length} values for shape [${shape.join(', ')}]`)
  }
  if (spec.finite) checkFinite(name, values)
  if (datatype === 'BYTES') checkTexts(name, values)
}

/** ONNX Runtime's binding hands texts over as C does, and would cut them off in silence. */
function checkTexts(name: string, values: NamedTensor['values']): void {
  for (const value of values) {
    if (typeof value === 'string' && value.includes('\0'))
      mismatch(`input "${name}": a text holds the character U+0000`)
  }
}

function checkFinite(name: string, values: NamedTensor['values']): void {
  for (const value of values) {
    if (typeof value === 'number' && !Number.isFinite(value)) mismatch(`input "${name}": a value is not finite`)
  }
}

function checkOutput(name: string, known: readonly string[]): void {
  if (!known.includes(name)) mismatch(`output "${name}": unknown; the model gives ${known.map(quoted).join(', ')}`)
}

function bytesOf(inputs: readonly NamedTensor[]): number {
  let bytes = 0
  for (const { values } of inputs) {
    if (ArrayBuffer.isView(values)) bytes += values.byteLength
    else for (const text of values) bytes += text.length
  }
  return bytes
}

function groupOf(anyShape: boolean, inputs: readonly NamedTensor[], outputs: readonly string[] | undefined): string {
  if (!anyShape && !outputs) return ''
  const shapes = anyShape ? inputs.map(({ shape }) => shape.slice(1).join(',')).join(';') : ''
  return outputs ? `${shapes}|${JSON.stringify(outputs)}` : shapes
}

const quoted = (name: string) => `"${name}"`
const names = (specs: readonly TensorSpec[]) => specs.map(({ name }) => quoted(name)).join(', ') || 'none'

function mismatch(rule: string): never {
  throw new ProblemError({ kind: 'input-mismatch', detail: `${rule}.` })
}
