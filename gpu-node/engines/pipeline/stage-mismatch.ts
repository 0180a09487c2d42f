import { ProblemError } from '@oriel/protocol/problem'

/** A value is not what its stage works on: the pipeline is wrong, whatever the input. */
export class StageMismatch extends ProblemError {
  constructor(detail: string) {
    super({ kind: 'inference-failed', detail })
  }
}
