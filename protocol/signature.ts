import type { Manifest, TensorSpec } from './manifest.ts'

/** What a model takes and gives as tensors. No outputs: whatever the graph has. */
export interface Signature {
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
}

/** One text a row; its likeliest label, the probability of every label, and the labels in that order. */
const TEXT_CLASSIFICATION: Signature = {
  inputs: [{ name: 'text', datatype: 'BYTES', shape: [] }],
  outputs: [
    { name: 'label', datatype: 'BYTES', shape: [] },
    { name: 'scores', datatype: 'FP32', shape: [-1] },
    { name: 'labels', datatype: 'BYTES', shape: [-1] },
  ],
}

/** `undefined`: the model answers with a stream of text, and tensors say nothing to it. */
export function signatureOf(manifest: Manifest): Signature | undefined {
  switch (manifest.engine) {
    case 'tensor':
    case 'pipeline':
      return manifest
    case 'text-classification':
      return TEXT_CLASSIFICATION
    case 'text-generation':
      return undefined
  }
}
