import type { RequestView } from './api.ts'
import type { RequestEvent, Status } from './event.ts'
import { isTerminal } from './event.ts'
import { isoTime } from './iso-time.ts'

/** What `viewOf` must know of a request besides its log. Times are ms since the epoch. */
export interface Sent {
  readonly requestID: string
  readonly model: string
  readonly request: Record<string, unknown>
  readonly sentAt: number
  readonly status: Status
}

/**
 * A request as its user sees it, whether its log comes from the broker or from the record.
 * @param events the log from its beginning, in order
 */
export function viewOf(sent: Sent, events: readonly RequestEvent[]): RequestView {
  const last = events.at(-1)
  return {
    requestID: sent.requestID,
    modelID: sent.model,
    request: sent.request,
    responses: events.flatMap((event) =>
      event.type === 'responses' ? [{ response: event.response, sentAt: isoTime(event.at) }] : [],
    ),
    status: sent.status,
    sentAt: isoTime(sent.sentAt),
    lastEventID: last?.n ?? 0,
    ...(last && isTerminal(last) && last.problem && { problem: last.problem }),
  }
}
