import type { MiddlewareHandler } from 'hono'
import type { Env } from './env.ts'
import type { Platform } from './platform.ts'

/** What a handler finds in its context. */
export interface EdgeContext {
  Bindings: Env
  Variables: { platform: Platform; user: string }
}

/** Puts the caller's name into the context, or refuses. */
export const authenticate: MiddlewareHandler<EdgeContext> = async function authenticate(c, next) {
  c.set('user', await c.var.platform.identity.user(c.req.header('Authorization')))
  await next()
}
