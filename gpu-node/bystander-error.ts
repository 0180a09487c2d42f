import { ProblemError } from '@oriel/protocol/problem'

/** A run that ended through no fault of its own, as when its host went down over other work: it is not charged. */
export class BystanderError extends ProblemError {}
