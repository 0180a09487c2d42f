import type { Manifest } from '@oriel/protocol/manifest'
import { deriveManifest } from '../derived-manifest.ts'
import type { GraphSignature } from '../graph-signature.ts'

/** Whether a manifest leaves its signature to the graph: a tensor model that declares nothing. */
export const isSilent = ({ engine, inputs, outputs }: Manifest): boolean =>
  engine === 'tensor' && inputs.length === 0 && outputs.length === 0

/**
 * The manifest with the graph's own inputs and outputs; its `maxBatch` is kept where the graph can batch.
 * @throws ProblemError model-unavailable, naming the tensor that no request could carry
 */
export function completedManifest(manifest: Manifest, signature: GraphSignature): Manifest {
  const { name, version, files, limits } = manifest
  const { inputs, outputs, limits: derived } = deriveManifest({ name, version, files, signature, ...limits })
  return { ...manifest, inputs, outputs, limits: { ...limits, maxBatch: derived.maxBatch } }
}
