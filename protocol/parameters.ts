import type { Manifest, ParameterSpec } from './manifest.ts'
import { ProblemError } from './problem.ts'

export type ParameterValue = number | boolean | string | string[]
export type Parameters = Record<string, ParameterValue>

/**
 * The parameters that a request runs with: what the caller gave, checked against the model's declaration,
 * and the declared defaults for the rest.
 *
 * @throws ProblemError invalid-parameter, naming the parameter and the rule, never the value
 */
export function resolveParameters(declared: Manifest['parameters'], given: Record<string, unknown>): Parameters {
  const resolved: Parameters = {}
  for (const [name, value] of Object.entries(given)) {
    const spec = Object.hasOwn(declared, name) ? declared[name] : undefined
    if (!spec) {
      const known = Object.keys(declared)
      const hint = known.length > 0 ? `it takes ${known.join(', ')}` : 'it takes none'
      throw invalid(name, `the model has no such parameter; ${hint}`)
    }
    resolved[name] = check(name, spec, value)
  }
  for (const [name, spec] of Object.entries(declared)) {
    if (!Object.hasOwn(resolved, name) && spec.default !== undefined) resolved[name] = spec.default
  }
  return resolved
}

function check(name: string, spec: ParameterSpec, value: unknown): ParameterValue {
  switch (spec.type) {
    case 'boolean':
      if (typeof value !== 'boolean') throw invalid(name, 'expected true or false')
      return value
    case 'integer':
    case 'number': {
      const rule = `expected ${spec.type === 'integer' ? 'a whole number' : 'a number'}${range(spec)}`
      if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(name, rule)
      if (spec.type === 'integer' && !Number.isSafeInteger(value)) throw invalid(name, rule)
      if (value < (spec.minimum ?? -Infinity) || value > (spec.maximum ?? Infinity)) throw invalid(name, rule)
      return value
    }
    case 'string':
      return text(name, value, spec.maxLength)
    case 'strings': {
      const list = typeof value === 'string' ? [value] : value
      if (!Array.isArray(list)) throw invalid(name, 'expected a string or a list of strings')
      if (list.length > (spec.maxItems ?? Infinity)) throw invalid(name, `expected at most ${spec.maxItems} strings`)
      return list.map((item) => text(name, item, spec.maxLength))
    }
  }
}

function text(name: string, value: unknown, maxLength = Infinity): string {
  if (typeof value !== 'string') throw invalid(name, 'expected a string')
  if (value.length > maxLength) throw invalid(name, `expected at most ${maxLength} characters`)
  return value
}

function range({ minimum, maximum }: { minimum?: number | undefined; maximum?: number | undefined }): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  if (minimum !== undefined) return ` of at least ${minimum}`
  return maximum === undefined ? '' : ` of at most ${maximum}`
}

const invalid = (name: string, rule: string) =>
  new ProblemError({ kind: 'invalid-parameter', detail: `parameters.${name}: ${rule}.` })
