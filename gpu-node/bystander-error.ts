import { type Problem, ProblemError } from '@oriel/protocol/problem'

/** A run that ended through no fault of its own that is known, as when its host went down over other work. It is free. */
export class BystanderError extends ProblemError {
  /** Nobody knows whose fault it was: it may have been this one's. */
  readonly suspect: boolean

  constructor(problem: Problem, suspect: boolean) {
    super(problem)
    this.suspect = suspect
  }
}
