import type { Relay, RelayEnv } from '@oriel/core-actors/relay'
import { LATE_MS } from '@oriel/core-actors/request'
import type { Limits } from '@oriel/protocol/limits'
import { ProblemError } from '@oriel/protocol/problem'
import * as v from 'valibot'
import type { RecordDesk } from './record-desk.ts'
import type { RequestActor, UserActor } from './worker.ts'

const optional = v.optional(v.string(), '')
/** A variable is text; a number in it is whole and above 0. */
const count = (fallback: number) =>
  v.pipe(v.optional(v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,14}$/)), String(fallback)), v.transform(Number))
/** As long as the hash of HS256 (RFC 7518, 3.2). */
const MIN_SECRET_LENGTH = 32

/** The Worker's variables and secrets, by name. Bindings to actors and the database are in `Env`. */
const Settings = v.object({
  /** Secret for HS256 tokens of users; for development and tests. Not used when AUTH_JWKS_URL is set. */
  AUTH_SECRET: optional,
  /** Where the identity provider publishes its keys (RS256, ES256). */
  AUTH_JWKS_URL: optional,
  AUTH_ISSUER: v.pipe(v.string(), v.minLength(1)),
  AUTH_AUDIENCE: v.pipe(v.string(), v.minLength(1)),
  /** Secret for the tokens in events URLs, which the edge both signs and checks. */
  EVENTS_SECRET: v.pipe(v.string(), v.minLength(MIN_SECRET_LENGTH)),
  /** Origins whose pages may call the API, with commas between them; `*` for all, empty for none. */
  CORS_ORIGINS: optional,
  /**
   * How long the record may take to have a request that has ended, ms: then its actor looks whether the facts were lost,
   * and after four times that it gives up an answer that nobody has. Logs are kept for an hour.
   */
  RECORD_LATE_MS: count(LATE_MS),
  /** Secret with which nodes fetch models' files from the edge; empty where they read the bucket themselves. */
  NODE_TOKEN: v.union([v.pipe(optional, v.literal('')), v.pipe(v.string(), v.minLength(MIN_SECRET_LENGTH))]),
  /** Requests that one user may send in a second, again and again. */
  LIMIT_PER_SECOND: count(1_000),
  /** Requests that one user may send at once after a pause. */
  LIMIT_BURST: count(2_000),
  /** Requests that one user may have under way. */
  LIMIT_CONCURRENT: count(10_000),
  /** Bytes of requests that one user may send in a day (UTC). */
  LIMIT_BYTES_PER_DAY: count(10_000_000_000),
})
export type Settings = v.InferOutput<typeof Settings>

export const limitsOf = (settings: Settings): Limits => ({
  rate: { perSecond: settings.LIMIT_PER_SECOND, burst: settings.LIMIT_BURST },
  concurrent: settings.LIMIT_CONCURRENT,
  bytesPerDay: settings.LIMIT_BYTES_PER_DAY,
})

export interface Env extends Record<keyof v.InferInput<typeof Settings>, string | undefined>, RelayEnv {
  readonly REQUESTS: DurableObjectNamespace<RequestActor>
  readonly USERS: DurableObjectNamespace<UserActor>
  readonly RELAYS: DurableObjectNamespace<Relay>
  readonly DESKS: DurableObjectNamespace<RecordDesk>
  /** In production the database is reached through Hyperdrive, elsewhere by its URL. */
  readonly HYPERDRIVE?: { readonly connectionString: string }
  readonly DATABASE_URL?: string
  /** The files of models: a bucket of R2, or a folder of plain workerd's. */
  readonly ARTIFACTS?: R2Bucket
  readonly ARTIFACTS_DISK?: Fetcher
}

let parsed: { env: Env; settings: Settings } | undefined

/** @throws ProblemError unavailable: the names of the wrong variables are logged, their values never */
export function settingsOf(env: Env): Settings {
  if (parsed?.env === env) return parsed.settings
  const result = v.safeParse(Settings, env)
  const missing =
    result.success && result.output.AUTH_JWKS_URL === '' && result.output.AUTH_SECRET.length < MIN_SECRET_LENGTH
  if (!result.success || missing) {
    const names = result.success
      ? [`AUTH_JWKS_URL, or AUTH_SECRET of ${MIN_SECRET_LENGTH} characters`]
      : result.issues.map((issue) => v.getDotPath(issue))
    console.error(`the edge is not configured: ${names.join(', ')}`)
    throw new ProblemError({ kind: 'unavailable', detail: 'The edge is not configured.' })
  }
  parsed = { env, settings: result.output }
  return result.output
}
