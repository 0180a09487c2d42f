import type { Accepted } from '@oriel/protocol/fact'
import type { About } from './channel.ts'
import type { Order } from './relay-port.ts'
import type { OpenRequest } from './request.ts'

/** The job of a request, for its `dispatch`th sending. */
export const jobOf = (request: OpenRequest, dispatch: number): Order['job'] => {
  const { id, model, version, lane, parameters, sentAt, deadlineAt } = request
  return { id, model, version, lane, input: request.request.input, parameters, sentAt, deadlineAt, dispatch }
}

/** What the record is told of it. */
export const acceptedOf = (open: OpenRequest): Accepted => {
  const { id, user, requestID, model, version, request, bodyHash, deadlineAt } = open
  return { id, user, requestID, model, version, request, bodyHash, deadlineAt }
}

/** What a relay has to know of it to follow its log. */
export const aboutOf = ({ model, version, lane }: OpenRequest): About => ({ model, version, lane })
