import type { RequestEvent } from '@oriel/protocol/event'
import { type Accepted, type Ended, endedFacts } from '@oriel/protocol/fact'
import { newRequestId } from '@oriel/protocol/ids'

export const SENT_AT = Date.UTC(2026, 0, 31, 12)

/** @param sentAt ms since the epoch; the id carries it */
export function accepted(sentAt = SENT_AT, fact: Partial<Accepted> = {}): Accepted {
  const id = fact.id ?? newRequestId(sentAt)
  return {
    id,
    user: 'ada',
    requestID: id,
    model: 'storyteller',
    version: '1',
    request: { input: 'Once', parameters: { seed: 7 } },
    bodyHash: '0'.repeat(64),
    deadlineAt: sentAt + 60_000,
    ...fact,
  }
}

/** A log of one answer for each text. */
export function logOf(texts: readonly unknown[], at = SENT_AT): RequestEvent[] {
  const responses = texts.map(
    (response, i): RequestEvent => ({ n: i + 2, at: at + i, type: 'responses', response, tokens: [i] }),
  )
  return [
    { n: 1, at, type: 'started', node: 'node-1', attempt: 1 },
    ...responses,
    { n: texts.length + 2, at: at + texts.length, type: 'completed' },
  ]
}

export const ended = (id: string, events: readonly RequestEvent[] = logOf([' upon'])): Ended[] => endedFacts(id, events)
