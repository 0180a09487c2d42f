import { isDeepStrictEqual } from 'node:util'
import type { RequestView } from '@oriel/protocol/api'
import { type Observation, type RequestObservation, standingOf } from './observation.ts'
import { type Violation, violating } from './violation.ts'

/** The history has every accepted request once, as clients saw it, newest first, and nothing else. */
export function historyRules({ requests, histories }: Observation): Violation[] {
  const found: Violation[] = []
  const known = Map.groupBy(requests, ({ planned }) => planned.user)
  for (const user of new Set([...known.keys(), ...histories.keys()])) {
    const items = histories.get(user) ?? []
    const byID = Map.groupBy(items, ({ requestID }) => requestID)
    const sent = new Map((known.get(user) ?? []).map((request) => [request.planned.requestID, request]))
    for (const [requestID, copies] of byID) {
      const violation = violating({ user, requestID })
      const request = sent.get(requestID)
      if (copies.length > 1) found.push(violation('history-twice', `${copies.length} times`))
      if (!request) found.push(violation('history-unknown', JSON.stringify(copies[0])))
      else if (standingOf(request) === 'refused') found.push(violation('refused-exists', 'it is in the history'))
      else for (const item of copies) found.push(...differences(request, item))
    }
    for (const [requestID, request] of sent) {
      if (standingOf(request) === 'accepted' && !byID.has(requestID))
        found.push(violating({ user, requestID })('history-missing', `not in ${items.length} of the user`))
    }
    items.forEach((item, index) => {
      const before = items[index - 1]
      if (before && before.sentAt < item.sentAt)
        found.push(violating({ user, requestID: item.requestID })('history-order', `after one of ${before.sentAt}`))
    })
  }
  return found
}

function differences({ planned, afterwards }: RequestObservation, item: RequestView): Violation[] {
  const violation = violating(planned)
  const log = afterwards?.log ?? []
  const end = log.at(-1)
  const expected = {
    modelID: planned.modelID,
    request: planned.request,
    status: end?.type,
    lastEventID: end?.id,
    responses: log.flatMap(({ type, data }) =>
      type === 'responses' ? [{ response: data.response, sentAt: data.sentAt }] : [],
    ),
  }
  const views = afterwards?.view ? [item, afterwards.view] : [item]
  return views.flatMap((view) => {
    const { modelID, request, status, lastEventID, responses } = view
    const actual = { modelID, request, status, lastEventID, responses }
    if (isDeepStrictEqual(actual, expected)) return []
    return [violation('history-differs', `${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`)]
  })
}
