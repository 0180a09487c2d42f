import type { Standing } from '@oriel/core-actors/request-port'
import { parseEventId, SSE_HEADERS, sseDocument } from '@oriel/core-actors/sse'
import { parseModelRef } from '@oriel/oip/model-ref'
import { MAX_BODY_BYTES, type RequestView, Submission } from '@oriel/protocol/api'
import { type Status, TERMINAL } from '@oriel/protocol/event'
import { ClientRequestID } from '@oriel/protocol/ids'
import { isoTime } from '@oriel/protocol/iso-time'
import { ProblemError } from '@oriel/protocol/problem'
import { viewOf } from '@oriel/protocol/view'
import type { Context } from 'hono'
import { Hono } from 'hono'
import * as v from 'valibot'
import { parse, readJson } from './body.ts'
import { limitBody } from './body-limit.ts'
import type { EdgeContext } from './context.ts'
import { authenticate } from './context.ts'
import { draftOf } from './draft.ts'
import { historyPage } from './history.ts'
import { limitHeaders } from './limit-headers.ts'
import { revalidate } from './revalidate.ts'

/** How long an events URL is good after its request's deadline, and at least after it was given. */
const EVENTS_TOKEN_MS = 10 * 60_000
const DEFAULT_LIMIT = 20

const HistoryQuery = v.object({
  nextCursor: v.optional(v.string(), ''),
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^[0-9]{1,4}$/), v.transform(Number), v.minValue(1), v.maxValue(100)),
    String(DEFAULT_LIMIT),
  ),
})

export const requests = new Hono<EdgeContext>()

requests.post('/', authenticate, limitBody(MAX_BODY_BYTES), async (c) => {
  const { platform, user, caller } = c.var
  const submission = await readJson(c, Submission)
  const now = Date.now()
  const { name, version } = parseModelRef(submission.modelID)
  // What it means now is what the request stays with, whatever an alias means later.
  const draft = await draftOf(user, submission, await platform.models.offer(name, now, version), now)
  // A request that the client named may have been accepted before: only its actor can tell.
  const named = submission.request.requestID !== undefined
  const full = named ? undefined : platform.fullQueues.refusal(draft.model, draft.lane, now)
  if (full) throw new ProblemError(full)
  const outcome = await platform.actor(user, draft.requestID, (actor) =>
    actor.submit({ ...draft, ...(caller.key && { key: caller.key }) }),
  )
  if (!outcome.ok) platform.fullQueues.refused(draft.model, draft.lane, outcome.problem, now)
  for (const [name, value] of Object.entries(limitHeaders(outcome.usage))) c.header(name, value)
  if (!outcome.ok) throw new ProblemError(outcome.problem)
  const { requestID, status, sentAt } = outcome
  const expiresAt = Math.max(now, sentAt + draft.timeoutMs) + EVENTS_TOKEN_MS
  const token = await platform.identity.eventsToken(user, requestID, expiresAt)
  const url = new URL(`/requests/${requestID}`, c.req.url)
  c.header('Location', url.href)
  return c.json({ requestID, status, sentAt: isoTime(sentAt), eventsURL: `${url.href}/events?token=${token}` }, 202)
})

requests.get('/', authenticate, revalidate, async (c) => {
  const { platform, user } = c.var
  const query = parse(HistoryQuery, c.req.query(), 'query')
  const page = await historyPage(platform, user, query.nextCursor, query.limit)
  c.header('Cache-Control', 'private, no-cache')
  return c.json(page)
})

requests.get('/:id', authenticate, revalidate, async (c) => {
  const after = eventIdOf(c.req.query('after'), 'after')
  const view = await readRequest(c)
  c.header('Cache-Control', 'private, no-cache')
  return c.json(view(after))
})

requests.delete('/:id', authenticate, async (c) => {
  const { platform, user } = c.var
  const requestID = requestIDOf(c)
  const outcome = await platform.actor(user, requestID, (actor) => actor.cancel())
  if (!outcome.ok) throw new ProblemError(outcome.problem)
  const { status, sentAt }: Standing = outcome.standing ?? (await findRecorded(c, requestID))
  return c.json({ requestID, status, sentAt: isoTime(sentAt) })
})

requests.get('/:id/events', async (c) => {
  const { platform } = c.var
  const requestID = requestIDOf(c)
  const token = c.req.query('token')
  const user = token
    ? await platform.identity.userOfEventsToken(token, requestID)
    : (await platform.identity.caller(c.req.header('Authorization'))).user
  c.set('user', user)
  const after = eventIdOf(c.req.header('Last-Event-ID') ?? c.req.query('lastEventID'), 'Last-Event-ID')
  const streaming = await platform.actor(user, requestID, (actor) => actor.events(after))
  switch (streaming.kind) {
    case 'live':
      return new Response(streaming.body, { headers: SSE_HEADERS })
    case 'whole':
      return new Response(streaming.text, { headers: SSE_HEADERS })
    case 'over':
      return c.body(null, 204)
    case 'refused':
      throw new ProblemError(streaming.problem)
    case 'record':
      return fromRecord(c, requestID, after)
  }
})

async function fromRecord(c: Context<EdgeContext>, requestID: string, after: number): Promise<Response> {
  const { events } = await findRecorded(c, requestID)
  const last = events.at(-1)?.n
  if (last === undefined) {
    const detail = 'The events of this request are not in the history yet; try again.'
    throw new ProblemError({ kind: 'unavailable', detail, retryAfterMs: 2_000 })
  }
  if (after > last) throw neverIssued(after)
  if (after === last) return c.body(null, 204)
  return new Response(sseDocument(events, after), { headers: SSE_HEADERS })
}

/** The request as its actor has it, or else the record; as a view of what came after an event. */
async function readRequest(c: Context<EdgeContext>): Promise<(after: number) => RequestView> {
  const { platform, user } = c.var
  const requestID = requestIDOf(c)
  const snapshot = await platform.actor(user, requestID, (actor) => actor.snapshot())
  const found = snapshot
    ? { sent: { ...snapshot.request, status: snapshot.status }, events: snapshot.events }
    : await findRecorded(c, requestID).then((item) => ({ sent: item, events: item.events }))
  return (after) => {
    const whole = viewOf(found.sent, found.events)
    if (after > whole.lastEventID) throw isTerminal(whole.status) ? neverIssued(after) : notThere(after)
    return {
      ...whole,
      responses: viewOf(
        found.sent,
        found.events.filter(({ n }) => n > after),
      ).responses,
    }
  }
}

async function findRecorded(c: Context<EdgeContext>, requestID: string) {
  const found = await c.var.platform.history((history) => history.find(c.var.user, requestID))
  if (!found) throw new ProblemError({ kind: 'not-found', detail: 'You have no such request.' })
  return found
}

function requestIDOf(c: Context<EdgeContext>): string {
  const result = v.safeParse(ClientRequestID, c.req.param('id'))
  if (!result.success) throw new ProblemError({ kind: 'not-found', detail: 'You have no such request.' })
  return result.output
}

/** @throws ProblemError invalid-event-id */
function eventIdOf(value: string | undefined, name: string): number {
  if (value === undefined || value === '') return 0
  const id = parseEventId(value)
  if (id === undefined)
    throw new ProblemError({ kind: 'invalid-event-id', detail: `${name}: expected a whole number.` })
  return id
}

/** Of a request that goes on: its log may have been lost with the broker, and is being written again. */
const notThere = (after: number) =>
  new ProblemError({ kind: 'unavailable', detail: `Event ${after} is not there now; try again.`, retryAfterMs: 1_000 })

const isTerminal = (status: Status) => TERMINAL.some((end) => end === status)

const neverIssued = (after: number) =>
  new ProblemError({ kind: 'invalid-event-id', detail: `Event ${after} was never issued for this request.` })
