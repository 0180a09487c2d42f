import type { NatsConnection } from '@nats-io/nats-core'
import { HISTORY } from '@oriel/protocol/subjects'

const NOT_FOUND = 404
const READ_MS = 5_000

/** The last fact on a subject of HISTORY; `undefined`: there is none (any more). @throws when the broker does not answer */
export async function lastTold(connection: NatsConnection, subject: string): Promise<unknown> {
  const reply = await connection.request(`$JS.API.DIRECT.GET.${HISTORY}.${subject}`, undefined, { timeout: READ_MS })
  const code = reply.headers?.code ?? 0
  if (code === NOT_FOUND) return undefined
  if (code > 299) throw new Error(`a fact could not be read: ${reply.headers?.description}`)
  return reply.json()
}
