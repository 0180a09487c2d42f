import { TERMINAL } from '@oriel/protocol/event'
import { type RequestObservation, standingOf } from './observation.ts'
import { type Violation, violating } from './violation.ts'

/** Whoever cancels is told how the request ended, and that stands. */
export function cancelRules(request: RequestObservation): Violation[] {
  const { planned, cancellations, afterwards } = request
  const violation = violating(planned)
  const found: Violation[] = []
  if (standingOf(request) !== 'accepted') return found
  const end = afterwards?.log.at(-1)?.type
  for (const { outcome } of cancellations) {
    if (outcome.kind === 'refused') {
      if (outcome.status === 500) found.push(violation('internal-error', `a cancellation: ${outcome.problem}`))
      if (outcome.status < 500 && outcome.status !== 429)
        found.push(violation('turned-away', `a cancellation: ${outcome.status} ${outcome.problem}`))
    }
    if (outcome.kind !== 'answered') continue
    if (!TERMINAL.some((type) => type === outcome.status))
      found.push(violation('cancel-undone', `the answer was ${outcome.status}`))
    else if (afterwards?.status === 200 && outcome.status !== end)
      found.push(violation('cancel-undone', `the answer was ${outcome.status}, its end is ${end ?? 'not there'}`))
  }
  return found
}
