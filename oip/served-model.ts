import type { Manifest, TensorSpec } from '@oriel/protocol/manifest'
import { signatureOf } from '@oriel/protocol/signature'
import type { ServedModel } from './port.ts'

/** What a generator takes and gives, by the names that Triton's generate extension has for them. */
export const TEXT_IN = 'text_input'
export const TEXT_OUT = 'text_output'

const text = (name: string): TensorSpec => ({ name, datatype: 'BYTES', shape: [1] })

/** A version as the callers of the Open Inference Protocol see it. */
export function servedModel(manifest: Manifest, versions: readonly string[]): ServedModel {
  const { name, version, limits } = manifest
  const signature = signatureOf(manifest)
  if (signature) {
    const { inputs, outputs } = signature
    return { name, version, versions, platform: 'onnxruntime_onnx', inputs, outputs, maxBatch: limits.maxBatch }
  }
  return {
    name,
    version,
    versions,
    platform: 'oriel_text_generation',
    inputs: [text(TEXT_IN)],
    outputs: [text(TEXT_OUT)],
    maxBatch: 0,
    generates: true,
  }
}
