import { Limits } from '@oriel/protocol/limits'
import { and, count, desc, eq, gt, isNull, or, sql } from 'drizzle-orm'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type { Sql } from 'postgres'
import * as v from 'valibot'
import { apiKeys } from './schema.ts'

/** A key as its owner sees it. Times are ms since the epoch. */
export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly prefix: string
  readonly scopes: readonly string[]
  readonly limits: Limits
  readonly createdAt: number
  readonly expiresAt: number | undefined
  /** To the minute. */
  readonly lastUsedAt: number | undefined
}

export interface NewApiKey {
  readonly id: string
  readonly user: string
  readonly name: string
  /** SHA-256 of the key, hex: the key itself never comes here. */
  readonly hash: string
  readonly prefix: string
  readonly scopes: readonly string[]
  readonly limits: Limits
  readonly expiresAt: number | undefined
}

/** What a key stands for. `id` is the key's. */
export interface KeyHolder {
  readonly id: string
  readonly user: string
  readonly scopes: readonly string[]
  readonly limits: Limits
  readonly expiresAt: number | undefined
}

/** Keys in use that one user can have, about: two that are made at once may be one too many. */
export const MAX_KEYS = 100

const inUse = and(isNull(apiKeys.revokedAt), or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, sql`now()`)))

/** The keys of programs. Runs in the Worker: nothing here is Bun's or Node's own. */
export class ApiKeys {
  readonly #db: PostgresJsDatabase

  constructor(client: Sql) {
    this.#db = drizzle(client)
  }

  /** @returns `undefined` when the user has as many as one may */
  async create({ user, scopes, expiresAt, ...key }: NewApiKey): Promise<ApiKey | undefined> {
    const [used] = await this.#db
      .select({ keys: count() })
      .from(apiKeys)
      .where(and(eq(apiKeys.userId, user), inUse))
    if ((used?.keys ?? 0) >= MAX_KEYS) return undefined
    const values = { ...key, userId: user, scopes: [...scopes], expiresAt: dateOf(expiresAt) }
    const [row] = await this.#db.insert(apiKeys).values(values).returning()
    return row && keyOf(row)
  }

  /**
   * Those that were not revoked: those in use, newest first, and then those that have expired, as many as there is room
   * for. One that works is always among them, or nobody could see that it is to be revoked.
   */
  async list(user: string): Promise<ApiKey[]> {
    const mine = and(eq(apiKeys.userId, user), isNull(apiKeys.revokedAt))
    const order = [desc(sql`(${inUse})`), desc(apiKeys.createdAt)]
    const rows = await this.#db
      .select()
      .from(apiKeys)
      .where(mine)
      .orderBy(...order)
      .limit(2 * MAX_KEYS)
    return rows.map(keyOf)
  }

  /**
   * @param user whose key it must be; anybody's unless given
   * @returns the hash of the key that is no more; `undefined` when there is no such key
   */
  async revoke(id: string, user?: string): Promise<string | undefined> {
    const [row] = await this.#db
      .update(apiKeys)
      .set({ revokedAt: sql`now()` })
      .where(
        and(eq(apiKeys.id, id), user === undefined ? undefined : eq(apiKeys.userId, user), isNull(apiKeys.revokedAt)),
      )
      .returning({ hash: apiKeys.hash })
    return row?.hash
  }

  /** Who holds the key of this hash, unless it was revoked; notes that it was used, once a minute at most. */
  async use(hash: string): Promise<KeyHolder | undefined> {
    const known = and(eq(apiKeys.hash, hash), isNull(apiKeys.revokedAt))
    const [row] = await this.#db.select().from(apiKeys).where(known)
    if (!row) return undefined
    const unnoted = or(isNull(apiKeys.lastUsedAt), sql`${apiKeys.lastUsedAt} < now() - interval '1 minute'`)
    await this.#db
      .update(apiKeys)
      .set({ lastUsedAt: sql`now()` })
      .where(and(known, inUse, unnoted))
    const { limits } = keyOf(row)
    return { id: row.id, user: row.userId, scopes: row.scopes, limits, expiresAt: row.expiresAt?.getTime() }
  }
}

const dateOf = (ms: number | undefined) => (ms === undefined ? null : new Date(ms))

const keyOf = (row: typeof apiKeys.$inferSelect): ApiKey => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  scopes: row.scopes,
  limits: v.parse(Limits, row.limits),
  createdAt: row.createdAt.getTime(),
  expiresAt: row.expiresAt?.getTime(),
  lastUsedAt: row.lastUsedAt?.getTime(),
})
