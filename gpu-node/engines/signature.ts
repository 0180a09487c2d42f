import type { Manifest, TensorSpec } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import type { Port } from './onnx-graph.ts'
import { ORT_TYPES } from './tensor-codec.ts'

/**
 * Whether the manifest tells the truth about its graph, asked once at load, so that a run need not.
 * @throws ProblemError model-unavailable, naming the tensor
 */
export function checkSignature(manifest: Manifest, inputs: readonly Port[], outputs: readonly Port[]): void {
  const batched = manifest.limits.maxBatch > 0
  compare('input', manifest.inputs, inputs, batched)
  compare('output', manifest.outputs, outputs, batched)
  const declared = new Set(manifest.inputs.map((spec) => spec.name))
  const missing = inputs.filter((port) => !declared.has(port.name))
  if (missing.length > 0) disagree(`the graph wants ${names(missing)}, which the manifest does not declare`)
}

function compare(what: string, specs: readonly TensorSpec[], ports: readonly Port[], batched: boolean): void {
  const byName = new Map(ports.map((port) => [port.name, port]))
  for (const spec of specs) {
    const port = byName.get(spec.name)
    if (!port) disagree(`the graph has no ${what} "${spec.name}"; it has ${names(ports)}`)
    const type = ORT_TYPES[spec.datatype]
    if (port.type !== type)
      disagree(`${what} "${spec.name}" is ${port.type ?? 'not a tensor'} in the graph, not ${type}`)
    const expected = batched ? [-1, ...spec.shape] : spec.shape
    // A graph may leave a shape out altogether, and then it reads as that of a scalar.
    if (port.shape.length > 0 && !agree(expected, port.shape)) {
      disagree(`${what} "${spec.name}" has shape [${port.shape.join(', ')}] in the graph, not [${expected.join(', ')}]`)
    }
  }
}

const agree = (expected: readonly number[], actual: readonly (number | string)[]): boolean =>
  expected.length === actual.length &&
  expected.every((size, i) => size === -1 || typeof actual[i] === 'string' || size === actual[i])

const names = (ports: readonly Port[]) => ports.map((port) => `"${port.name}"`).join(', ') || 'none'

function disagree(detail: string): never {
  throw new ProblemError({ kind: 'model-unavailable', detail: `manifest and graph disagree: ${detail}.` })
}
