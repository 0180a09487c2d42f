import type { ModelOffer } from '@oriel/core-actors/relay-port'
import { Manifest } from '@oriel/protocol/manifest'
import { SignJWT } from 'jose'
import * as v from 'valibot'
import type { Settings } from './env.ts'
import { KeyRing } from './key-ring.ts'

// What the unit tests of the edge share. Whatever needs a broker, actors or a database is tested on the
// running stack, in tests/.

/** Knows no key. */
export const noKeys = new KeyRing(async () => undefined)

export const settings: Settings = {
  AUTH_SECRET: 'a secret of the tests that is long enough',
  AUTH_JWKS_URL: '',
  AUTH_ISSUER: 'oriel-test',
  AUTH_AUDIENCE: 'oriel',
  EVENTS_SECRET: 'another secret of the tests, also long',
  CORS_ORIGINS: 'https://page.example',
  NODE_TOKEN: 'a secret of nodes that is long enough too',
  RECORD_LATE_MS: 900_000,
  LIMIT_PER_SECOND: 1_000,
  LIMIT_BURST: 2_000,
  LIMIT_CONCURRENT: 10_000,
  LIMIT_BYTES_PER_DAY: 10_000_000_000,
}

interface Claims {
  sub?: string
  iss?: string
  aud?: string
  /** Seconds from now. */
  exp?: number
  nbf?: number
  scope?: string
}

export function tokenFor(claims: Claims, secret = settings.AUTH_SECRET): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const { sub = 'alice', iss = settings.AUTH_ISSUER, aud = settings.AUTH_AUDIENCE, exp = 60, nbf = 0, scope } = claims
  return new SignJWT({ sub, iss, aud, exp: now + exp, nbf: now + nbf, ...(scope !== undefined && { scope }) })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

export const irisOffer: ModelOffer = {
  nodes: 1,
  versions: ['1'],
  aliases: {},
  manifest: v.parse(Manifest, {
    name: 'iris',
    version: '1',
    engine: 'tensor',
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }],
    inputs: [{ name: 'features', datatype: 'FP32', shape: [4] }],
    parameters: { top: { type: 'integer', default: 3, minimum: 1 } },
    limits: { timeoutMs: 5_000, maxBatch: 8, concurrency: 8 },
  }),
}
