import { isDeepStrictEqual } from 'node:util'
import { isTerminal } from '../support/client.ts'
import type { RequestObservation } from './observation.ts'
import { type Violation, violating } from './violation.ts'

/** What a client got over all its connections is the log: every event once, in order, none after the last. */
export function readerRules(request: RequestObservation): Violation[] {
  return [...streamRules(request), ...pollRules(request)]
}

function streamRules({ planned, connections, afterwards }: RequestObservation): Violation[] {
  const violation = violating(planned)
  const found: Violation[] = []
  let last = 0
  let ended = false
  for (const { status, events, after } of connections) {
    if (status === 500) found.push(violation('internal-error', `a stream after event ${after}`))
    if (status === 204 && !ended) found.push(violation('cut-short', `204 after event ${after}`))
    if (status !== undefined && status >= 400 && status < 500)
      found.push(violation('turned-away', `a stream after event ${after} was answered ${status}`))
    for (const event of events) {
      if (ended) found.push(violation('after-the-end', `event ${event.id} (${event.type})`))
      if (event.id <= last) found.push(violation('repeat', `event ${event.id} after ${last}`))
      if (event.id > last + 1) found.push(violation('gap', `event ${event.id} after ${last}`))
      last = event.id
      ended ||= isTerminal(event)
      const now = afterwards?.log[event.id - 1]
      if (afterwards?.status === 200 && !isDeepStrictEqual(contentOf(event), now && contentOf(now)))
        found.push(violation('changed', `event ${event.id} was ${print(event)}, is ${now ? print(now) : 'not there'}`))
    }
  }
  return found
}

function pollRules({ planned, polls, afterwards }: RequestObservation): Violation[] {
  const violation = violating(planned)
  const found: Violation[] = []
  const responses: unknown[] = []
  let last = 0
  for (const { answer } of polls) {
    if (answer.kind === 'refused') found.push(violation('turned-away', `a poll after event ${last}: ${answer.why}`))
    else {
      const { view } = answer
      responses.push(...view.responses)
      if (view.lastEventID < last) found.push(violation('repeat', `event ${view.lastEventID} is the last, was ${last}`))
      last = view.lastEventID
    }
  }
  const final = afterwards?.view
  if (final && polls.length > 0 && !isDeepStrictEqual(responses, final.responses.slice(0, responses.length)))
    found.push(violation('changed', `polled ${JSON.stringify(responses)}, is ${JSON.stringify(final.responses)}`))
  return found
}

const contentOf = ({ id, type, data }: { id: number; type: string; data: unknown }) => ({ id, type, data })
const print = (event: { id: number; type: string; data: unknown }) => JSON.stringify(contentOf(event))
