import type { InferenceAnswer } from '@oriel/oip/port'
import { TEXT_IN } from '@oriel/oip/served-model'
import { checkInput } from '@oriel/protocol/input'
import { itemOfTensors, tensorsOfItem } from '@oriel/protocol/item'
import type { Manifest } from '@oriel/protocol/manifest'
import { signatureOf } from '@oriel/protocol/signature'
import type { NamedTensor } from '@oriel/protocol/tensor'

// One item as people write it, and the tensors that it stands for.

/** @throws ProblemError input-mismatch */
export function tensorsOf(manifest: Manifest, inputs: unknown): NamedTensor[] {
  if (signatureOf(manifest)) return tensorsOfItem(manifest, inputs)
  checkInput(manifest, inputs)
  return [{ name: TEXT_IN, datatype: 'BYTES', shape: [1], values: [String(inputs)] }]
}

export function itemOf(manifest: Manifest, { outputs }: InferenceAnswer): unknown {
  return signatureOf(manifest) ? itemOfTensors(manifest, outputs) : outputs[0]?.values[0]
}
