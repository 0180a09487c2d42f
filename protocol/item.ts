import { checkInput } from './input.ts'
import type { Datatype, Manifest, TensorSpec } from './manifest.ts'
import { ProblemError } from './problem.ts'
import { signatureOf } from './signature.ts'
import { ARRAYS, type NamedTensor, type TensorValues } from './tensor.ts'

/*
 * One item is what our own API speaks: `{ <input name>: nested arrays }` for a tensor model or a pipeline, a string for
 * a text model. As tensors it is a batch of one row, or without a batch dimension where the model has none.
 */

const isBatched = ({ limits }: Manifest) => limits.maxBatch > 0

/** @throws ProblemError input-mismatch: as `checkInput`, or the model answers with a stream */
export function tensorsOfItem(manifest: Manifest, input: unknown): NamedTensor[] {
  checkInput(manifest, input)
  const signature = signatureOf(manifest)
  if (!signature) throw new ProblemError({ kind: 'input-mismatch', detail: 'The model takes no tensors.' })
  // checkInput has seen an object with every declared name, or a string for the one input of a text model.
  const items = manifest.engine === 'text-classification' ? { text: input } : (input as Record<string, unknown>)
  return signature.inputs.map((spec) => encode(spec, items[spec.name], isBatched(manifest)))
}

/** @param outputs of one row */
export function itemOfTensors(manifest: Manifest, outputs: readonly NamedTensor[]): unknown {
  const batched = isBatched(manifest)
  const item = Object.fromEntries(outputs.map((tensor) => [tensor.name, nested(tensor, batched ? 1 : 0)]))
  if (manifest.engine !== 'text-classification') return item
  const { label, scores, labels } = item as { label: string; scores: number[]; labels: string[] }
  return { label, scores: Object.fromEntries(labels.map((name, index) => [name, scores[index]])) }
}

function encode(spec: TensorSpec, item: unknown, batched: boolean): NamedTensor {
  const shape: number[] = batched ? [1] : []
  let probe = item
  for (const size of spec.shape) {
    const found = Array.isArray(probe) ? probe.length : 0
    shape.push(size === -1 ? found : size)
    probe = Array.isArray(probe) ? probe[0] : undefined
  }
  const values = Array.isArray(item) ? item.flat(spec.shape.length) : [item]
  return { name: spec.name, datatype: spec.datatype, shape, values: valuesOf(spec.datatype, values) }
}

function valuesOf(datatype: Datatype, values: readonly unknown[]): TensorValues {
  if (datatype === 'BYTES') return values.map(String)
  if (datatype === 'INT64' || datatype === 'UINT64') return new ARRAYS[datatype](values.map(toBigInt))
  return new ARRAYS[datatype](values.map(Number))
}

/**
 * A tensor as JSON: nested arrays, a bare value for a scalar. JSON has no word for NaN and the infinities: they are
 * `null`. A 64-bit integer is a number where a double holds it exactly, else a decimal string.
 * @param from dimensions that are left off in front, each of size 1
 */
function nested({ datatype, shape, values }: NamedTensor, from: number): unknown {
  const value = datatype === 'BOOL' ? Boolean : toJson
  let at = 0
  const build = (depth: number): unknown =>
    depth === shape.length ? value(values[at++]) : Array.from({ length: shape[depth] ?? 0 }, () => build(depth + 1))
  return build(from)
}

function toJson(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

function toBigInt(value: unknown): bigint {
  if (typeof value === 'number' || typeof value === 'string') return BigInt(value)
  throw new TypeError('not an integer')
}
