import { Hono } from 'hono'
import type { EdgeContext } from './context.ts'
import type { Platform } from './platform.ts'

export const health = new Hono<EdgeContext>()

health.get('/healthz', (c) => c.json({ status: 'ok' }))

/** Ready when a request would be taken, run and recorded. */
health.get('/readyz', async (c) => {
  const { platform } = c.var
  const [{ broker, nodes }, database] = await Promise.all([askRelay(platform), askDatabase(platform)])
  const ready = broker && database && nodes > 0
  const checks = {
    broker: broker ? 'ok' : 'cannot be reached',
    database: database ? 'ok' : 'cannot be reached',
    nodes: nodes > 0 ? `${nodes} alive` : 'none alive',
  }
  return c.json({ status: ready ? 'ok' : 'unavailable', checks }, ready ? 200 : 503)
})

async function askRelay(platform: Platform) {
  try {
    return await platform.relay().health()
  } catch (error) {
    console.warn('the relay does not answer', error)
    return { broker: false, nodes: 0 }
  }
}

async function askDatabase(platform: Platform): Promise<boolean> {
  try {
    await platform.history((history) => history.isRecorded('00000000-0000-7000-8000-000000000000', 1))
    return true
  } catch (error) {
    console.warn('the database does not answer', error)
    return false
  }
}
