import fc from 'fast-check'
import * as v from 'valibot'

/** As much of JSON Schema as the API's description uses; the rest of a schema is not looked at. */
const Node = v.object({
  $ref: v.optional(v.string()),
  type: v.optional(v.string()),
  const: v.optional(v.unknown()),
  enum: v.optional(v.array(v.unknown())),
  anyOf: v.optional(v.array(v.unknown())),
  pattern: v.optional(v.string()),
  minimum: v.optional(v.number()),
  maximum: v.optional(v.number()),
  items: v.optional(v.unknown()),
  properties: v.optional(v.record(v.string(), v.unknown())),
  required: v.optional(v.array(v.string()), []),
})

/** What would do as the value of a schema, or nearly. `known` has values worth trying for a property by its name. */
export function fitting(
  schema: unknown,
  refs: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, fc.Arbitrary<unknown>>> = {},
): fc.Arbitrary<unknown> {
  const node = v.parse(Node, schema)
  const next = (inner: unknown) => fitting(inner, refs, known)
  if (node.$ref) return next(refs[node.$ref.slice(node.$ref.lastIndexOf('/') + 1)])
  if (node.const !== undefined) return fc.constant(node.const)
  if (node.enum) return fc.constantFrom(...node.enum)
  if (node.anyOf) return fc.oneof(...node.anyOf.map(next))
  switch (node.type) {
    case 'string':
      return node.pattern ? fc.stringMatching(new RegExp(node.pattern)) : fc.string({ unit: 'binary' })
    case 'integer':
      return fc.integer({ min: node.minimum ?? -(2 ** 31), max: node.maximum ?? 2 ** 31 })
    case 'number':
      return fc.double()
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(next(node.items ?? {}), { maxLength: 4 })
    case 'object': {
      const named = Object.entries(node.properties ?? {}).map(([name, inner]) => {
        const usual = next(inner)
        return [name, known[name] ? fc.oneof({ arbitrary: known[name], weight: 9 }, usual) : usual]
      })
      return fc.record<Record<string, unknown>>(Object.fromEntries(named), { requiredKeys: node.required })
    }
    default:
      return fc.jsonValue({ maxDepth: 3 })
  }
}

const strange = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom<unknown>(null, -1, 1e308, 2 ** 53, '', ' ', '\u0000', '\ud800', '../..', '%00', "' or 1=1--", {}, []),
)
const names = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'prototype', ''))

/** A value with something wrong with it: a part replaced, taken away, or added. */
export const brokenOf = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.tuple(value, strange, names, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), fc.nat(2)).map(breakAt)

function breakAt([value, put, name, [at = 0, ...path], how]: [unknown, unknown, string, number[], number]): unknown {
  if (typeof value !== 'object' || value === null) return put
  const entries = Object.entries(value)
  const index = at % Math.max(1, entries.length)
  const entry = entries[index]
  if (path.length > 0 && entry) entries[index] = [entry[0], breakAt([entry[1], put, name, path, how])]
  else if (how === 0 && entry) entries.splice(index, 1)
  else if (how === 1 && entry) entries[index] = [entry[0], put]
  else entries.push([name, put])
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries)
}
