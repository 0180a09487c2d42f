import type { Backlog } from '@oriel/protocol/backlog'

/** What a node knows of a partition in which it is not at home. */
export interface Elsewhere {
  /** What the planner last told of it; `undefined`: nothing, or too long ago. */
  readonly queue: Backlog['partitions'][number] | undefined
  /** Every model of the partition is in this node's memory. */
  readonly hasModels: boolean
  /** How long it takes until a model is in memory. */
  readonly loadMs: number
}

/**
 * Whether a node asks for jobs of a partition in which others are at home. They are asked first anyway; what they
 * leave is worth a load only where it would otherwise wait for longer than the load takes.
 */
export function mayHelp({ queue, hasModels, loadMs }: Elsewhere): boolean {
  // Without a planner nobody knows whose home still lives: then everybody takes everything, as it comes.
  if (!queue || hasModels || queue.homes === 0) return true
  if (queue.waiting === 0) return false
  return queue.drain === 0 || (queue.waiting / queue.drain) * 1000 > loadMs
}
