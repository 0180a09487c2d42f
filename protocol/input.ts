import type { Datatype, Manifest, TensorSpec } from './manifest.ts'
import { ProblemError } from './problem.ts'

/**
 * Checks a request's input against the model's signature; the edge refuses with it, the node relies on it.
 * Text engines take one string that is not empty. A tensor model or a pipeline takes `{ <input name>: nested arrays }`,
 * each of the declared shape of one item.
 *
 * @throws ProblemError input-mismatch, naming the field and the rule, never the value
 */
export function checkInput(manifest: Manifest, input: unknown): void {
  if (manifest.engine === 'text-classification' || manifest.engine === 'text-generation') {
    if (typeof input !== 'string') mismatch('input', 'expected a string')
    if (input === '') mismatch('input', 'expected a string that is not empty')
    return
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    mismatch('input', `expected an object with ${names(manifest.inputs)}`)
  }
  const given = new Map(Object.entries(input))
  for (const spec of manifest.inputs) {
    if (!given.has(spec.name)) mismatch(`input.${spec.name}`, 'missing')
    checkTensor(spec, given.get(spec.name))
    given.delete(spec.name)
  }
  for (const name of given.keys()) mismatch(`input.${name}`, `unknown; the model takes ${names(manifest.inputs)}`)
}

function checkTensor(spec: TensorSpec, value: unknown): void {
  const sizes = [...spec.shape]
  const path = `input.${spec.name}`
  const shape = `[${spec.shape.join(', ')}]`
  const visit = (part: unknown, depth: number): void => {
    if (depth === sizes.length) {
      if (!fits(spec.datatype, part)) mismatch(path, `expected ${spec.datatype} values of shape ${shape}`)
      return
    }
    if (!Array.isArray(part)) mismatch(path, `expected an array of shape ${shape}`)
    // The first array met at a depth of any size decides: a tensor has no ragged edge.
    if (sizes[depth] === -1) sizes[depth] = part.length
    if (part.length !== sizes[depth]) {
      mismatch(path, `expected shape ${shape}, found ${part.length} values at depth ${depth + 1}`)
    }
    for (const inner of part) visit(inner, depth + 1)
  }
  visit(value, 0)
}

// A 64-bit integer may come as a decimal string, because a JSON number loses its low bits on the way.
const INTEGERS = {
  INT8: [-(2n ** 7n), 2n ** 7n - 1n],
  INT16: [-(2n ** 15n), 2n ** 15n - 1n],
  INT32: [-(2n ** 31n), 2n ** 31n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT8: [0n, 2n ** 8n - 1n],
  UINT16: [0n, 2n ** 16n - 1n],
  UINT32: [0n, 2n ** 32n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
} as const

function fits(datatype: Datatype, value: unknown): boolean {
  if (datatype === 'BOOL') return typeof value === 'boolean'
  if (datatype === 'BYTES') return typeof value === 'string'
  if (datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64') return Number.isFinite(value)
  const [low, high] = INTEGERS[datatype]
  if (typeof value === 'number') return Number.isSafeInteger(value) && BigInt(value) >= low && BigInt(value) <= high
  if (typeof value !== 'string' || !datatype.endsWith('64') || !/^-?[0-9]{1,20}$/.test(value)) return false
  return BigInt(value) >= low && BigInt(value) <= high
}

const names = (specs: readonly TensorSpec[]) => specs.map((spec) => `"${spec.name}"`).join(', ')

function mismatch(path: string, rule: string): never {
  throw new ProblemError({ kind: 'input-mismatch', detail: `${path}: ${rule}.` })
}
