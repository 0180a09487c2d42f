import type { Letter, LetterPage, LetterQuery } from '@oriel/core-actors/dead-letters'
import { endOf } from '@oriel/core-actors/request'
import type { Draft } from '@oriel/core-actors/request-port'
import type { Recorded } from '@oriel/db/recorded'
import {
  BulkRequeue,
  type DeadLetterSummary,
  type DeadLetterView,
  RequestOptions,
  type RequeuedView,
} from '@oriel/protocol/api'
import { isTerminal } from '@oriel/protocol/event'
import { isoTime } from '@oriel/protocol/iso-time'
import { ModelName } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import { TOKEN } from '@oriel/protocol/subjects'
import type { Context } from 'hono'
import { Hono } from 'hono'
import * as v from 'valibot'
import { parse, readJson } from './body.ts'
import { limitBody } from './body-limit.ts'
import { requeueAll } from './bulk-requeue.ts'
import type { EdgeContext } from './context.ts'
import { allow, authenticate } from './context.ts'
import type { Platform } from './platform.ts'
import { readinessOf } from './readiness.ts'

const Query = v.object({
  model: v.optional(ModelName),
  nextCursor: v.optional(v.string()),
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^[0-9]{1,4}$/), v.transform(Number), v.minValue(1), v.maxValue(100)),
    '20',
  ),
})

/** Letters that one call requeues at most: each asks the record and an actor, one after the other. */
const BULK = 50
const MAX_BULK_BYTES = 16 * 1024

/** For operators: what failed for good, and what becomes of it. */
export const deadLetters = new Hono<EdgeContext>()

deadLetters.use(authenticate, allow('admin'))

deadLetters.get('/', async (c) => {
  const { model, nextCursor, limit } = parse(Query, c.req.query(), 'query')
  const query = { ...(model && { model }), ...(nextCursor && { after: nextCursor }), limit }
  const page = await listLetters(c.var.platform, query)
  return c.json({ deadLetters: page.letters.map(summaryOf), nextCursor: page.next ?? null, limit })
})

deadLetters.get('/:id', async (c) => c.json(viewOf(await findLetter(c))))

deadLetters.delete('/:id', async (c) => {
  const { sequence } = await findLetter(c)
  const outcome = await c.var.platform.relay().discard(sequence)
  if (!outcome.ok) throw new ProblemError(outcome.problem)
  if (!outcome.found) throw noSuchLetter()
  return c.body(null, 204)
})

deadLetters.post('/:id/requeue', async (c) => c.json(await requeue(c.var.platform, await findLetter(c)), 202))

deadLetters.post('/requeue', limitBody(MAX_BULK_BYTES), async (c) => {
  const { platform } = c.var
  const { model, nextCursor } = await readJson(c, BulkRequeue)
  const page = await listLetters(platform, { model, ...(nextCursor && { after: nextCursor }), limit: BULK })
  const port = {
    requeue: (letter: Letter) => requeue(platform, letter),
    isWhole: async () => {
      const { broker, database } = await readinessOf(platform)
      return broker && database
    },
  }
  return c.json(await requeueAll(page.letters, page.next, port))
})

async function requeue(platform: Platform, { id, sequence, dead }: Letter): Promise<RequeuedView> {
  const { job } = dead
  if (!job) {
    const detail = 'What lies here was never a job: it can be shown and discarded.'
    throw new ProblemError({ kind: 'not-requeueable', detail })
  }
  const sent = await platform.history((history) => history.ofAnyone(id))
  if (!sent) {
    const detail = 'The record does not know the request yet, and so not whose it is; try again.'
    throw new ProblemError({ kind: 'unavailable', detail, retryAfterMs: 2_000 })
  }
  const last = sent.events.at(-1)
  const order = {
    draft: draftOf(job, sent),
    ...(last && isTerminal(last) && { end: endOf(last) }),
    dispatch: job.dispatch,
  }
  const outcome = await platform.actor(sent.user, sent.requestID, (actor) => actor.requeue(order))
  if (!outcome.ok) throw new ProblemError(outcome.problem)
  // Only now. Should this fail, the letter is requeued once more, which answers the same, and discarded then.
  const discarded = await platform.relay().discard(sequence)
  if (!discarded.ok) throw new ProblemError(discarded.problem)
  const { requestID, status, sentAt } = outcome
  return { id, requestID, status, sentAt: isoTime(sentAt) }
}

async function listLetters(platform: Platform, query: LetterQuery): Promise<LetterPage> {
  if (query.after !== undefined && !TOKEN.test(query.after)) {
    throw new ProblemError({ kind: 'invalid-cursor', detail: 'nextCursor: not a cursor of this list.' })
  }
  const page = await platform.relay().deadLetters(query)
  if (!page.ok) throw new ProblemError(page.problem)
  return page
}

/** The request as it was sent, by the model and version it was sent to, with all of its time anew. */
function draftOf(job: NonNullable<Letter['dead']['job']>, sent: Recorded & { user: string }): Draft {
  const { id, user, requestID, bodyHash, request } = sent
  const { model, version, lane, parameters } = job
  const onDisconnect = v.safeParse(RequestOptions.entries.onDisconnect, request.onDisconnect)
  return {
    id,
    user,
    requestID,
    bodyHash,
    request,
    model,
    version,
    lane,
    parameters,
    onDisconnect: (onDisconnect.success && onDisconnect.output) || 'detach',
    timeoutMs: sent.deadlineAt - sent.sentAt,
  }
}

async function findLetter(c: Context<EdgeContext>): Promise<Letter> {
  const id = c.req.param('id') ?? ''
  if (!TOKEN.test(id)) throw noSuchLetter()
  const outcome = await c.var.platform.relay().deadLetter(id)
  if (!outcome.ok) throw new ProblemError(outcome.problem)
  if (!outcome.letter) throw noSuchLetter()
  return outcome.letter
}

function summaryOf({ id, model, dead }: Letter): DeadLetterSummary {
  const { at, problem, attempts, job } = dead
  return {
    id,
    modelID: model,
    failedAt: isoTime(at),
    problem,
    attempts: attempts.length,
    requeueable: job !== undefined,
  }
}

function viewOf(letter: Letter): DeadLetterView {
  const { node, deliveries, attempts, job, message } = letter.dead
  return {
    ...summaryOf(letter),
    attempts: attempts.map((attempt) => ({ ...attempt, startedAt: isoTime(attempt.startedAt) })),
    node,
    deliveries,
    ...(job && {
      job: {
        version: job.version,
        lane: job.lane,
        input: job.input,
        parameters: job.parameters,
        sentAt: isoTime(job.sentAt),
        deadlineAt: isoTime(job.deadlineAt),
      },
    }),
    ...(message !== undefined && { message }),
  }
}

const noSuchLetter = () => new ProblemError({ kind: 'not-found', detail: 'There is no such dead letter.' })
