import { type RequestObservation, standingOf } from './observation.ts'
import { type Violation, violating } from './violation.ts'

/** The kinds of problem that tell of a full queue or a user's limit. */
const FULL = /queue-full|limit-exceeded/

/** One request for one id, however often it was sent; and what was refused is nowhere. */
export function submitRules(request: RequestObservation): Violation[] {
  const { submits, afterwards, planned } = request
  const violation = violating(planned)
  const found: Violation[] = []
  const standing = standingOf(request)
  const sentAts = new Set(submits.flatMap(({ outcome }) => (outcome.kind === 'accepted' ? outcome.sentAt : [])))
  if (sentAts.size > 1) found.push(violation('not-the-same', `accepted as of ${[...sentAts].join(' and ')}`))
  for (const { outcome } of submits) {
    if (outcome.kind !== 'refused') continue
    const { status, problem, retryAfter } = outcome
    if (status === 500) found.push(violation('internal-error', problem))
    if (status < 500 && status !== 429) found.push(violation('refused-for-nothing', `${status} ${problem}`))
    if (FULL.test(problem) && !(Number(retryAfter) > 0))
      found.push(violation('no-retry-after', `${status} ${problem}, Retry-After: ${retryAfter ?? 'none'}`))
  }
  const last = submits.at(-1)?.outcome
  if (standing === 'unanswered') found.push(violation('unanswered', last ? JSON.stringify(last) : 'never sent'))
  if (standing === 'refused' && afterwards?.status !== 404)
    found.push(violation('refused-exists', `GET answers ${afterwards?.status ?? 'nothing'}`))
  if (standing === 'accepted' && afterwards?.status !== 200)
    found.push(violation('accepted-missing', `GET answers ${afterwards?.status ?? 'nothing'}`))
  return found
}
