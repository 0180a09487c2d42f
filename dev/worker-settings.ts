import { databaseUrl } from './parts/postgres.ts'
import type { Ports } from './ports.ts'
import { HOST } from './ports.ts'
import type { Secrets } from './secrets.ts'

export const ISSUER = 'oriel-dev'
export const AUDIENCE = 'oriel'

/** The Worker's variables, as `edge/env.ts` names them. */
export const workerSettings = (ports: Ports, secrets: Secrets) => ({
  NATS_URL: `ws://${HOST}:${ports.websocket}`,
  NATS_USER: 'edge',
  NATS_PASSWORD: secrets.nats.edge,
  SHARDS: '1',
  DATABASE_URL: databaseUrl(ports.postgres, secrets.postgres),
  AUTH_SECRET: secrets.auth,
  AUTH_JWKS_URL: '',
  AUTH_ISSUER: ISSUER,
  AUTH_AUDIENCE: AUDIENCE,
  EVENTS_SECRET: secrets.events,
  CORS_ORIGINS: '*',
  NODE_TOKEN: secrets.artifacts,
})
export type WorkerSettings = ReturnType<typeof workerSettings>
