import { type ApiKey, MAX_KEYS } from '@oriel/db/api-keys'
import { type KeyView, NewKey, type NewLimits, SCOPES } from '@oriel/protocol/api'
import { isoTime } from '@oriel/protocol/iso-time'
import { isLimited, type Limits } from '@oriel/protocol/limits'
import { ProblemError } from '@oriel/protocol/problem'
import { Hono } from 'hono'
import * as v from 'valibot'
import { newKey } from './api-key.ts'
import { parse, readJson } from './body.ts'
import { limitBody } from './body-limit.ts'
import { demand, UserName } from './caller.ts'
import type { EdgeContext } from './context.ts'
import { allow, authenticate } from './context.ts'

const MAX_BYTES = 16 * 1024
const DAY_S = 86_400

const ListQuery = v.object({ user: v.optional(UserName) })

/** A user's own keys, for programs; and for operators, everybody's. A key may look after keys only with the scope. */
export const keys = new Hono<EdgeContext>()

keys.use(authenticate)

keys.post('/', allow('keys'), limitBody(MAX_BYTES), async (c) => {
  const { platform, caller } = c.var
  const { name, scopes, expiresAt, limits: given } = await readJson(c, NewKey)
  const missing = scopes.find((scope) => !caller.scopes.has(scope))
  if (missing) {
    throw new ProblemError({
      kind: 'forbidden',
      detail: `You lack the scope ${missing}, so a key of yours cannot have it.`,
    })
  }
  const until = expiresAt === undefined ? undefined : Date.parse(expiresAt)
  if (until !== undefined && !(until > Date.now())) throw invalid('expiresAt: is not in the future')
  const limits = limitsOf(given)
  if (isLimited(limits) && scopes.includes('keys')) {
    throw invalid('limits: a key with the scope keys can have none, because it could make others without them')
  }
  const { key, hash, prefix } = await newKey()
  const id = crypto.randomUUID()
  const made = await platform.keys((all) =>
    all.create({ id, user: caller.user, name, hash, prefix, scopes: [...new Set(scopes)], limits, expiresAt: until }),
  )
  if (!made) {
    const detail = `You have ${MAX_KEYS} keys, which is as many as one may. Revoke one that is not used.`
    throw new ProblemError({ kind: 'limit-exceeded', detail })
  }
  c.header('Cache-Control', 'no-store')
  return c.json({ ...viewOf(made), key }, 201)
})

keys.get('/', async (c) => {
  const { platform, caller } = c.var
  const { user } = parse(ListQuery, c.req.query(), 'query')
  demand(caller, user === undefined ? 'keys' : 'admin')
  const all = await platform.keys((keys) => keys.list(user ?? caller.user))
  c.header('Cache-Control', 'private, no-cache')
  return c.json({ keys: all.map(viewOf) })
})

keys.delete('/:id', async (c) => {
  const { platform, caller } = c.var
  const anybodys = caller.scopes.has('admin')
  if (!anybodys) demand(caller, 'keys')
  const id = v.safeParse(v.pipe(v.string(), v.uuid()), c.req.param('id'))
  const owner = anybodys ? undefined : caller.user
  const hash = id.success ? await platform.keys((keys) => keys.revoke(id.output, owner)) : undefined
  if (hash === undefined) throw new ProblemError({ kind: 'not-found', detail: 'There is no such key.' })
  platform.keyRing.forget(hash)
  return c.body(null, 204)
})

/** @throws ProblemError invalid-request */
function limitsOf({ rate, concurrent, bytesPerDay }: NewLimits): Limits {
  if (rate?.burst !== undefined && rate.burst > rate.perSecond * DAY_S) {
    throw invalid('limits.rate.burst: is more than perSecond gives in a day')
  }
  return {
    ...(rate && { rate: { perSecond: rate.perSecond, burst: rate.burst ?? rate.perSecond } }),
    ...(concurrent !== undefined && { concurrent }),
    ...(bytesPerDay !== undefined && { bytesPerDay }),
  }
}

function viewOf({ id, name, prefix, scopes, limits, createdAt, expiresAt, lastUsedAt }: ApiKey): KeyView {
  return {
    id,
    name,
    prefix,
    scopes: SCOPES.filter((scope) => scopes.includes(scope)),
    limits,
    createdAt: isoTime(createdAt),
    expiresAt: expiresAt === undefined ? null : isoTime(expiresAt),
    lastUsedAt: lastUsedAt === undefined ? null : isoTime(lastUsedAt),
  }
}

const invalid = (rule: string) =>
  new ProblemError({ kind: 'invalid-request', detail: `The body is not valid: ${rule}.` })
