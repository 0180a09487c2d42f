import type { Manifest, TensorSpec } from './manifest.ts'
import { ProblemError } from './problem.ts'
import { fits } from './range.ts'

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

const names = (specs: readonly TensorSpec[]) => specs.map((spec) => `"${spec.name}"`).join(', ')

function mismatch(path: string, rule: string): never {
  throw new ProblemError({ kind: 'input-mismatch', detail: `${path}: ${rule}.` })
}
