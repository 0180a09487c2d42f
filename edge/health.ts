import { Hono } from 'hono'
import type { EdgeContext } from './context.ts'
import { readinessOf } from './readiness.ts'

export const health = new Hono<EdgeContext>()

health.get('/healthz', (c) => c.json({ status: 'ok' }))

/** Ready when a request would be taken, run and recorded. */
health.get('/readyz', async (c) => {
  const { broker, database, nodes } = await readinessOf(c.var.platform)
  const ready = broker && database && nodes > 0
  const checks = {
    broker: broker ? 'ok' : 'cannot be reached',
    database: database ? 'ok' : 'cannot be reached',
    nodes: nodes > 0 ? `${nodes} alive` : 'none alive',
  }
  return c.json({ status: ready ? 'ok' : 'unavailable', checks }, ready ? 200 : 503)
})
