import type { Letter } from '@oriel/core-actors/dead-letters'
import type { BulkRequeued, RequeuedView } from '@oriel/protocol/api'
import { type Problem, ProblemError, toProblem } from '@oriel/protocol/problem'

/** What the rest of the letters needs. */
export interface RequeuePort {
  /** @throws ProblemError */
  requeue(letter: Letter): Promise<RequeuedView>
  /** Whether all that a requeue asks is there now. */
  isWhole(): Promise<boolean>
}

/**
 * Requeues letters one after the other. What one refuses does not hold up the rest; what an outage refuses would be
 * refused to all of them, after a wait each, so they are left for later.
 * @param next after which the list goes on behind these
 * @throws ProblemError unavailable when nothing could be done
 */
export async function requeueAll(
  letters: readonly Letter[],
  next: string | undefined,
  { requeue, isWhole }: RequeuePort,
): Promise<BulkRequeued> {
  const requeued: RequeuedView[] = []
  const refused: { id: string; problem: Problem }[] = []
  let before: Letter | undefined
  for (const letter of letters) {
    try {
      requeued.push(await requeue(letter))
    } catch (error) {
      if (!(error instanceof ProblemError)) console.error(error)
      const problem = toProblem(error)
      // A letter can be too young to be requeued, which says the same and is its own affair.
      if (problem.kind === 'unavailable' && !(await isWhole())) {
        if (!before) throw error
        return { requeued, refused, nextCursor: before.id, stopped: problem }
      }
      refused.push({ id: letter.id, problem })
    }
    before = letter
  }
  return { requeued, refused, nextCursor: next ?? null }
}
