import type { Stage, StageOf } from '@oriel/protocol/pipeline'
import type { NamedTensor } from '@oriel/protocol/tensor'

/**
 * What a stage that needs no file does with the values that it reads, in the order of `wiresOf`: at least one.
 * @throws StageMismatch
 */
export type Transform<K extends Stage['stage']> = (
  stage: StageOf<K>,
  inputs: readonly [NamedTensor, ...NamedTensor[]],
) => readonly NamedTensor[]
