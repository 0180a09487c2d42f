import type { Manifest, TensorSpec } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import type { GraphPort, GraphSignature } from './graph-signature.ts'

export interface Derivation {
  readonly name: string
  readonly version: string
  readonly files: Manifest['files']
  readonly signature: GraphSignature
  /** Rows in one run, of a graph that batches. */
  readonly maxBatch: number
  readonly timeoutMs: number
  /** How long one run may take before its host is given up. */
  readonly hangMs?: number
}

/**
 * The manifest of a version that has none, from what its graph says. It batches when the first dimension of every input
 * is the same symbol and that of every output is one, too: only then are rows what goes in and what comes out.
 * @throws ProblemError model-unavailable, naming the tensor that no request could carry
 */
export function deriveManifest({
  name,
  version,
  files,
  signature,
  maxBatch,
  timeoutMs,
  hangMs = 30_000,
}: Derivation): Manifest {
  const inputs = signature.inputs.map((port) => ({ ...port, datatype: datatypeOf(port) }))
  // What cannot be handed out, as a classifier's list of maps, is left out.
  const outputs = signature.outputs.flatMap(({ datatype, ...port }) => (datatype ? [{ ...port, datatype }] : []))
  if (outputs.length === 0) throw unfit('the graph has no output that is a tensor')
  const batched = maxBatch > 0 && batches(inputs, outputs)
  const specOf = ({ name, datatype, shape }: Tensor): TensorSpec => ({
    name,
    datatype,
    shape: (batched ? shape.slice(1) : shape).map((size) => (typeof size === 'number' && size >= 0 ? size : -1)),
  })
  return {
    name,
    version,
    description: '',
    engine: 'tensor',
    files,
    inputs: inputs.map(specOf),
    outputs: outputs.map(specOf),
    parameters: {},
    limits: { timeoutMs, hangMs, attempts: 5, maxBatch: batched ? maxBatch : 0, concurrency: 64 },
  }
}

type Tensor = GraphPort & { readonly datatype: TensorSpec['datatype'] }

function datatypeOf({ name, datatype }: GraphPort): TensorSpec['datatype'] {
  if (datatype) return datatype
  throw unfit(`input "${name}" is of a type that no request can carry`)
}

function batches(inputs: readonly Tensor[], outputs: readonly Tensor[]): boolean {
  const first = inputs[0]?.shape[0]
  return isSymbolic(first) && inputs.every(({ shape }) => shape[0] === first) && outputs.every(isOpen)
}

const isOpen = ({ shape }: Tensor) => isSymbolic(shape[0])

/** A dimension without a size or a name reads as -1. */
const isSymbolic = (size: number | string | undefined) => typeof size === 'string' || size === -1

const unfit = (detail: string) => new ProblemError({ kind: 'model-unavailable', detail: `${detail}.` })
