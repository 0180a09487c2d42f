import { isTerminal, type Received } from '../support/client.ts'
import { isClose } from './is-close.ts'
import { type Observation, type RequestObservation, standingOf } from './observation.ts'
import { type Violation, violating } from './violation.ts'

/** Attempts that a request may take; the budget of a model that says nothing else. */
export const MAX_ATTEMPTS = 5
/** Failures that a killed, frozen or cut-off part can explain. */
const EXPLAINED = ['host-crashed', 'host-hung', 'unavailable', 'model-unavailable']
/** A fault is still felt for a while after it is over. */
const AFTERMATH_MS = 30_000

/** Every accepted request ends once, within its budget, with the right answer. */
export function endRules(request: RequestObservation, { answers, faults }: Observation): Violation[] {
  const { planned, afterwards } = request
  if (standingOf(request) !== 'accepted' || !afterwards || afterwards.status !== 200) return []
  const violation = violating(planned)
  const { log } = afterwards
  const found: Violation[] = []
  log.forEach(({ id }, index) => {
    const before = log[index - 1]?.id ?? 0
    if (id <= before) found.push(violation('repeat', `event ${id} after ${before} in the log`))
    if (id > before + 1) found.push(violation('gap', `event ${id} after ${before} in the log`))
  })
  const ends = log.filter(isTerminal)
  const end = ends[0]
  if (!end) return [...found, violation('no-end', `the last of ${log.length} events is ${log.at(-1)?.type ?? 'none'}`)]
  if (ends.length > 1) found.push(violation('two-ends', ends.map(({ type }) => type).join(', ')))
  if (log.at(-1) !== end) found.push(violation('after-the-end', `the log goes on after event ${end.id}`))
  for (const { type, data } of log) {
    if (type === 'started' && Number(data.attempt) > MAX_ATTEMPTS)
      found.push(violation('over-budget', `attempt ${data.attempt}`))
  }
  const expected = answers.get(planned.question)
  const logged = responsesOf(log)
  if (end.type === 'completed') {
    const clients = responsesOf(request.connections.flatMap(({ events }) => events))
    if (!isSame(logged, expected)) found.push(violation('wrong-answer', `${print(logged)}, not ${print(expected)}`))
    const read = request.connections.some(({ events }) => events.some(isTerminal))
    if (read && !isSame(clients, expected))
      found.push(violation('wrong-answer', `the client read ${print(clients)}, not ${print(expected)}`))
  } else {
    if (!isExplained(end, request, faults))
      found.push(violation('failed-for-nothing', `${end.type} ${JSON.stringify(end.data)}`))
    if (!isBeginning(logged, expected))
      found.push(violation('wrong-answer', `${print(logged)}, not the beginning of ${print(expected)}`))
  }
  return found
}

function isExplained(end: Received, request: RequestObservation, faults: Observation['faults']): boolean {
  const at = Date.parse(String(end.data.sentAt))
  const sentAt = Date.parse(request.afterwards?.view?.sentAt ?? '')
  if (end.type === 'expired') return at - sentAt >= Number(request.planned.request.timeoutMs)
  if (end.type === 'cancelled') return request.cancellations.some((cancellation) => cancellation.at <= at)
  const { problem, retriable } = end.data
  const kind = typeof problem === 'object' && problem !== null && 'kind' in problem ? problem.kind : undefined
  const struck = faults.some((fault) => fault.at <= at && fault.until + AFTERMATH_MS >= sentAt)
  return end.type === 'failed' && retriable === true && EXPLAINED.some((one) => one === kind) && struck
}

export const responsesOf = (events: readonly Received[]): unknown[] =>
  events.flatMap(({ type, data }) => (type === 'responses' ? [data.response] : []))

const isText = (all: readonly unknown[]) => all.length > 0 && all.every((part) => typeof part === 'string')

/** A text may come in other pieces; it must be the same text. */
function isSame(responses: readonly unknown[], expected: readonly unknown[] | undefined): boolean {
  if (expected && isText(responses) && isText(expected)) return responses.join('') === expected.join('')
  return expected !== undefined && isClose(responses, expected)
}

/** What was said before an end that is not `completed` must have been right as far as it went. */
function isBeginning(responses: readonly unknown[], expected: readonly unknown[] = []): boolean {
  if (isText(responses) && isText(expected)) return expected.join('').startsWith(responses.join(''))
  return isClose(responses, expected.slice(0, responses.length))
}

const print = (responses: readonly unknown[] | undefined) => JSON.stringify(responses)
