import { Aliases } from '@oriel/db/aliases'
import { ApiKeys } from '@oriel/db/api-keys'
import { History } from '@oriel/db/history'
import { ModelRegistry } from '@oriel/db/model-registry'
import { RecordedPredictions } from '@oriel/db/predictions'
import { Uploads } from '@oriel/db/uploads'
import { ProblemError } from '@oriel/protocol/problem'
import postgres, { type Sql } from 'postgres'
import type { Env } from './env.ts'

export const HISTORY_AWAY = 'The history cannot be read now.'
const CONNECT_S = 2
const IDLE_S = 5
const STATEMENT_MS = 5_000
/** After this the connection is half open, and no answer ever comes: neither limit above sees that. */
export const ANSWER_MS = 6_000

/** @throws ProblemError unavailable when the database cannot be reached */
export const withHistory = <T>(env: Env, use: (history: History) => Promise<T>): Promise<T> =>
  withDatabase(env, HISTORY_AWAY, (sql) => use(new History(sql)))

/** @throws ProblemError unavailable when the database cannot be reached */
export const withPredictions = <T>(env: Env, use: (predictions: RecordedPredictions) => Promise<T>): Promise<T> =>
  withDatabase(env, HISTORY_AWAY, (sql) => use(new RecordedPredictions(sql)))

/** @throws ProblemError unavailable when the database cannot be reached */
export const withKeys = <T>(env: Env, use: (keys: ApiKeys) => Promise<T>): Promise<T> =>
  withDatabase(env, 'API keys cannot be looked up now; try again.', (sql) => use(new ApiKeys(sql)))

const REGISTRY_AWAY = 'The registry cannot be asked now; try again.'

/** @throws ProblemError unavailable when the database cannot be reached */
export const withRegistry = <T>(env: Env, use: (registry: ModelRegistry) => Promise<T>): Promise<T> =>
  withDatabase(env, REGISTRY_AWAY, (sql) => use(new ModelRegistry(sql)))

/** @throws ProblemError unavailable when the database cannot be reached */
export const withAliases = <T>(env: Env, use: (aliases: Aliases) => Promise<T>): Promise<T> =>
  withDatabase(env, REGISTRY_AWAY, (sql) => use(new Aliases(sql)))

/** @throws ProblemError unavailable when the database cannot be reached */
export const withUploads = <T>(env: Env, use: (uploads: Uploads) => Promise<T>): Promise<T> =>
  withDatabase(env, REGISTRY_AWAY, (sql) => use(new Uploads(sql)))

/**
 * Runs `use` with a connection of its own: a Worker may not share one between requests. In production
 * Hyperdrive pools behind it.
 * @throws ProblemError unavailable when the database cannot be reached
 */
async function withDatabase<T>(env: Env, detail: string, use: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = connect(env, 1)
  try {
    return await answered(use(sql), ANSWER_MS, detail)
  } finally {
    disconnect(sql)
  }
}

/** At most `max` connections, made when needed. @throws ProblemError unavailable when no database is configured */
export function connect(env: Env, max: number): Sql {
  const url = env.HYPERDRIVE?.connectionString ?? env.DATABASE_URL
  if (!url) throw unavailable(HISTORY_AWAY)
  return postgres(url, {
    max,
    connect_timeout: CONNECT_S,
    idle_timeout: IDLE_S,
    fetch_types: false,
    prepare: true,
    onnotice: () => undefined,
    connection: { statement_timeout: STATEMENT_MS },
  })
}

/** Lets go of every connection; what is asked over them now fails. */
export function disconnect(sql: Sql): void {
  void sql.end({ timeout: 1 }).catch((error) => console.warn('a database connection did not close', error))
}

/** @throws ProblemError unavailable when the answer does not come in time, or the connection fails */
export async function answered<T>(answer: Promise<T>, withinMs: number, detail: string): Promise<T> {
  const silence = Promise.withResolvers<never>()
  const timer = setTimeout(() => silence.reject(unavailable(detail)), withinMs)
  try {
    return await Promise.race([answer, silence.promise])
  } catch (error) {
    throw isConnection(error) ? unavailable(detail, error) : error
  } finally {
    clearTimeout(timer)
  }
}

/** Codes of postgres.js and of the socket below it; of the server, those of a database that is going or coming. */
function isConnection(error: unknown): boolean {
  const code = String((error instanceof Error && 'code' in error && error.code) || '')
  const cause = error instanceof Error && error.cause !== undefined && isConnection(error.cause)
  const socket = error instanceof Error && /proxy request failed|network connection|socket/i.test(error.message)
  return cause || socket || /^(CONNECT|CONNECTION_|ECONN|ENOTFOUND|ETIMEDOUT|57P0|57014|55P03|08|53300)/.test(code)
}

export const unavailable = (detail: string, cause?: unknown) =>
  new ProblemError({ kind: 'unavailable', detail, retryAfterMs: 2_000 }, { cause })
