import type { RequestRecord } from '@oriel/core-actors/record'
import { ApiKeys } from '@oriel/db/api-keys'
import { History } from '@oriel/db/history'
import type { RequestEvent } from '@oriel/protocol/event'
import { ProblemError } from '@oriel/protocol/problem'
import postgres, { type Sql } from 'postgres'
import { Breather } from './breather.ts'
import type { Env } from './env.ts'

const HISTORY_AWAY = 'The history cannot be read now.'
const CONNECT_S = 2
const STATEMENT_MS = 5_000
/** After this the connection is half open, and no answer ever comes: neither limit above sees that. */
const ANSWER_MS = 6_000
/** What a submit waits for the record, which it can do without, and how long it does without after that. */
const LOOK_UP_MS = 750
const REST_MS = 2_000

/** @throws ProblemError unavailable when the database cannot be reached */
export const withHistory = <T>(env: Env, use: (history: History) => Promise<T>, answerMs?: number): Promise<T> =>
  withDatabase(env, HISTORY_AWAY, (sql) => use(new History(sql)), answerMs)

/** @throws ProblemError unavailable when the database cannot be reached */
export const withKeys = <T>(env: Env, use: (keys: ApiKeys) => Promise<T>): Promise<T> =>
  withDatabase(env, 'API keys cannot be looked up now; try again.', (sql) => use(new ApiKeys(sql)))

/**
 * Runs `use` with a connection of its own: a Worker may not share one between requests. In production
 * Hyperdrive pools behind it.
 * @throws ProblemError unavailable when the database cannot be reached
 */
async function withDatabase<T>(
  env: Env,
  detail: string,
  use: (sql: Sql) => Promise<T>,
  answerMs = ANSWER_MS,
): Promise<T> {
  const url = env.HYPERDRIVE?.connectionString ?? env.DATABASE_URL
  if (!url) throw unavailable(detail)
  const sql = postgres(url, {
    max: 1,
    connect_timeout: CONNECT_S,
    idle_timeout: 5,
    fetch_types: false,
    prepare: true,
    onnotice: () => undefined,
    connection: { statement_timeout: STATEMENT_MS },
  })
  const silence = Promise.withResolvers<never>()
  const timer = setTimeout(() => silence.reject(unavailable(detail)), answerMs)
  try {
    return await Promise.race([use(sql), silence.promise])
  } catch (error) {
    throw isConnection(error) ? unavailable(detail, error) : error
  } finally {
    clearTimeout(timer)
    void sql.end({ timeout: 1 }).catch((error) => console.warn('a database connection did not close', error))
  }
}

/** Codes of postgres.js and of the socket below it; of the server, those of a database that is going or coming. */
function isConnection(error: unknown): boolean {
  const code = String((error instanceof Error && 'code' in error && error.code) || '')
  const cause = error instanceof Error && error.cause !== undefined && isConnection(error.cause)
  const socket = error instanceof Error && /proxy request failed|network connection|socket/i.test(error.message)
  return cause || socket || /^(CONNECT|CONNECTION_|ECONN|ENOTFOUND|ETIMEDOUT|57P0|57014|55P03|08|53300)/.test(code)
}

const unavailable = (detail: string, cause?: unknown) =>
  new ProblemError({ kind: 'unavailable', detail, retryAfterMs: 2_000 }, { cause })

/** Shared by all actors here: each is asked once, and an outage concerns them all. */
const lookUps = new Breather(REST_MS)

/** The record, for actors. */
export class PostgresRecord implements RequestRecord {
  readonly #env: Env

  constructor(env: Env) {
    this.#env = env
  }

  find(user: string, requestID: string) {
    return lookUps.run(
      () => withHistory(this.#env, (history) => history.find(user, requestID), LOOK_UP_MS),
      () => unavailable(HISTORY_AWAY),
    )
  }

  log(id: string) {
    return withHistory(this.#env, async (history) => {
      const events: RequestEvent[] = []
      for await (const event of history.events(id)) events.push(event)
      return events
    })
  }

  isRecorded(id: string, n: number) {
    return withHistory(this.#env, (history) => history.isRecorded(id, n))
  }
}
