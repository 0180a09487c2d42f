import type { FloodName } from './faults.ts'
import { type PlannedRequest, TIMEOUT_MS, USERS } from './load-plan.ts'
import { FLOWER_QUESTIONS, STORY_QUESTIONS } from './questions.ts'
import { Random } from './random.ts'

/**
 * What the stack of a run lets in, so that a flood meets it: jobs of one model and lane, those under way counted, and
 * requests of one user at once. The load without floods stays below both.
 */
export const LET_IN = { queued: 40, burst: 40, perSecond: 5 } as const
/** How many are sent. */
const FLOOD = { 'flood-queue': 3 * LET_IN.queued, 'flood-user': 2 * LET_IN.burst } as const

/**
 * Many requests within `forMs`: slow stories of all users to one lane, or quick questions of one user.
 * @param name of the flood within the run, for the ids
 */
export function planFlood(flood: FloodName, seed: number, name: string, forMs: number): PlannedRequest[] {
  const random = new Random(seed ^ 0xf100d)
  const count = FLOOD[flood]
  const one = `user-${random.whole(1, USERS)}`
  return Array.from({ length: count }, (_, index) => {
    const isStory = flood === 'flood-queue'
    const question = random.pick(isStory ? STORY_QUESTIONS.slice(1, 2) : FLOWER_QUESTIONS)
    return {
      requestID: `${name}-${index}`,
      user: isStory ? `user-${random.whole(1, USERS)}` : one,
      at: Math.round((index * forMs) / count),
      question: question.key,
      modelID: question.modelID,
      request: {
        input: question.input,
        ...(isStory && { parameters: { ...question.parameters, tokensPerSecond: random.whole(4, 6) }, lane: 'batch' }),
        timeoutMs: TIMEOUT_MS,
      },
      reading: random.chance(0.5) ? { mode: 'none' } : { mode: 'stream', leaves: [] },
    }
  })
}
