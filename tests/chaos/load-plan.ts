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
  /** Set on those that their client cancels, unless they have ended by then. */
  readonly cancel?: Cancel
}

/** With `after`, when a stream has come to the event of this number; with `afterMs`, so long after the acceptance. */
export type Cancel = { readonly after: number } | { readonly afterMs: number }

/** Longer than any fault, so that no request's time is over without a reason. */
export const TIMEOUT_MS = 300_000
export const USERS = 24

/** The requests of a run: a function of the seed. */
export function planLoad(seed: number, forMs: number, perSecond: number): PlannedRequest[] {
  const random = new Random(seed)
  const gapMs = 1_000 / perSecond
  return Array.from({ length: Math.floor(forMs / gapMs) }, (_, index) => {
    const question = questionOf(random)
    const paced = question.modelID === 'storyteller' && random.chance(0.7)
    const parameters = { ...question.parameters, ...(paced && { tokensPerSecond: random.whole(8, 20) }) }
    const reading = readingOf(random)
    const cancel = random.chance(0.1) ? cancelOf(random, reading) : undefined
    const isBatch = random.chance(0.15)
    return {
      requestID: `chaos-${seed}-${index}`,
      user: `user-${random.whole(1, USERS)}`,
      at: Math.round((index + random.next()) * gapMs),
      question: question.key,
      modelID: question.modelID,
      request: {
        input: question.input,
        ...(Object.keys(parameters).length > 0 && { parameters }),
        timeoutMs: random.chance(0.1) ? hastyMs(random) : TIMEOUT_MS,
        ...(isBatch && { lane: 'batch' }),
      },
      reading,
      ...(cancel && { cancel }),
    }
  })
}

/** A time that some requests end within and others do not; now and then one that hardly any does. */
const hastyMs = (random: Random) => (random.chance(0.25) ? random.whole(1, 50) : random.whole(200, 4_000))

const cancelOf = (random: Random, { mode }: Reading): Cancel =>
  mode === 'stream' ? { after: random.whole(0, 12) } : { afterMs: random.whole(0, 2_000) }

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
