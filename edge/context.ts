import type { MiddlewareHandler } from 'hono'
import { type Caller, demand, type Scope } from './caller.ts'
import type { Env } from './env.ts'
import type { Platform } from './platform.ts'

/** What a handler finds in its context. */
export interface EdgeContext {
  Bindings: Env
  Variables: { platform: Platform; user: string; caller: Caller }
}

/** Puts the caller into the context, and their name beside it, or refuses. */
export const authenticate: MiddlewareHandler<EdgeContext> = async function authenticate(c, next) {
  const caller = await c.var.platform.identity.caller(c.req.header('Authorization'))
  c.set('caller', caller)
  c.set('user', caller.user)
  await next()
}

/** Refuses who has not the scope. To be put after `authenticate`. */
export function allow(scope: Scope): MiddlewareHandler<EdgeContext> {
  return async function allow(c, next) {
    demand(c.var.caller, scope)
    await next()
  }
}
