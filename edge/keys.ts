import { type ApiKey, MAX_KEYS } from '@oriel/db/api-keys'
import { type KeyView, NewKey, SCOPES } from '@oriel/protocol/api'
import { isoTime } from '@oriel/protocol/iso-time'
import { ProblemError } from '@oriel/protocol/problem'
import { Hono } from 'hono'
import * as v from 'valibot'
import { newKey } from './api-key.ts'
import { readJson } from './body.ts'
import { limitBody } from './body-limit.ts'
import type { EdgeContext } from './context.ts'
import { allow, authenticate } from './context.ts'

const MAX_BYTES = 16 * 1024

/** A user's own keys, for programs. A key may look after keys only if it has the scope `keys`. */
export const keys = new Hono<EdgeContext>()

keys.use(authenticate, allow('keys'))

keys.post('/', limitBody(MAX_BYTES), async (c) => {
  const { platform, caller } = c.var
  const { name, scopes, expiresAt } = await readJson(c, NewKey)
  const missing = scopes.find((scope) => !caller.scopes.has(scope))
  if (missing) {
    throw new ProblemError({
      kind: 'forbidden',
      detail: `You lack the scope ${missing}, so a key of yours cannot have it.`,
    })
  }
  const until = expiresAt === undefined ? undefined : Date.parse(expiresAt)
  if (until !== undefined && !(until > Date.now())) {
    throw new ProblemError({
      kind: 'invalid-request',
      detail: 'The body is not valid: expiresAt: is not in the future.',
    })
  }
  const { key, hash, prefix } = await newKey()
  const id = crypto.randomUUID()
  const made = await platform.keys((all) =>
    all.create({ id, user: caller.user, name, hash, prefix, scopes: [...new Set(scopes)], expiresAt: until }),
  )
  if (!made) {
    const detail = `You have ${MAX_KEYS} keys, which is as many as one may. Revoke one that is not used.`
    throw new ProblemError({ kind: 'limit-exceeded', detail })
  }
  c.header('Cache-Control', 'no-store')
  return c.json({ ...viewOf(made), key }, 201)
})

keys.get('/', async (c) => {
  const { platform, user } = c.var
  const all = await platform.keys((keys) => keys.list(user))
  c.header('Cache-Control', 'private, no-cache')
  return c.json({ keys: all.map(viewOf) })
})

keys.delete('/:id', async (c) => {
  const { platform, user } = c.var
  const id = v.safeParse(v.pipe(v.string(), v.uuid()), c.req.param('id'))
  const hash = id.success ? await platform.keys((keys) => keys.revoke(user, id.output)) : undefined
  if (hash === undefined) throw new ProblemError({ kind: 'not-found', detail: 'You have no such key.' })
  platform.keyRing.forget(hash)
  return c.body(null, 204)
})

function viewOf({ id, name, prefix, scopes, createdAt, expiresAt, lastUsedAt }: ApiKey): KeyView {
  return {
    id,
    name,
    prefix,
    scopes: SCOPES.filter((scope) => scopes.includes(scope)),
    createdAt: isoTime(createdAt),
    expiresAt: expiresAt === undefined ? null : isoTime(expiresAt),
    lastUsedAt: lastUsedAt === undefined ? null : isoTime(lastUsedAt),
  }
}
