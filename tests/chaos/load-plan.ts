import { FLOWER_QUESTIONS, type Question, SENTENCE_QUESTIONS, STORY_QUESTIONS } from './questions.ts'
import { Random } from './random.ts'

/** How a client takes its answer. */
export type Reading =
  /** `leaves`: after the events with these numbers the client goes away, and is back after `forMs`. */
  | { readonly mode: 'stream'; readonly leaves: readonly { readonly after: number; readonly forMs: number }[] }
  | { readonly mode: 'poll'; readonly everyMs: number }
  | { readonly mode: 'none' }

export interface PlannedRequest {
  readonly requestID: string
  readonly user: string
  /** ms after the load began. */
  readonly at: number
  /** Whose answer is right. */
  readonly question: string
  readonly modelID: string
  /** As it is sent, without the request id: what the history has to show. */
  readonly request: Readonly<Record<string, unknown>>
  readonly reading: Reading
}

/** Longer than any fault, so that no request's time is over without a reason. */
export const TIMEOUT_MS = 300_000
const USERS = 24

/** The requests of a run: a function of the seed. */
export function planLoad(seed: number, forMs: number, perSecond: number): PlannedRequest[] {
  const random = new Random(seed)
  const gapMs = 1_000 / perSecond
  return Array.from({ length: Math.floor(forMs / gapMs) }, (_, index) => {
    const question = questionOf(random)
    const paced = question.modelID === 'storyteller' && random.chance(0.7)
    const parameters = { ...question.parameters, ...(paced && { tokensPerSecond: random.whole(8, 20) }) }
    return {
      requestID: `chaos-${seed}-${index}`,
      user: `user-${random.whole(1, USERS)}`,
      at: Math.round((index + random.next()) * gapMs),
      question: question.key,
      modelID: question.modelID,
      request: {
        input: question.input,
        ...(Object.keys(parameters).length > 0 && { parameters }),
        timeoutMs: TIMEOUT_MS,
      },
      reading: readingOf(random),
    }
  })
}

function questionOf(random: Random): Question {
  const kind = random.next()
  if (kind < 0.45) return random.pick(FLOWER_QUESTIONS)
  return random.pick(kind < 0.8 ? SENTENCE_QUESTIONS : STORY_QUESTIONS)
}

function readingOf(random: Random): Reading {
  const mode = random.next()
  if (mode < 0.25) return { mode: 'none' }
  if (mode < 0.45) return { mode: 'poll', everyMs: random.whole(200, 1_000) }
  const leaves = Array.from({ length: random.chance(0.4) ? random.whole(1, 3) : 0 }, () => ({
    after: random.whole(0, 12),
    forMs: random.whole(0, 3_000),
  }))
  return { mode: 'stream', leaves: leaves.sort((a, b) => a.after - b.after) }
}
