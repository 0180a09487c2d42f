import { RequestEvent } from '@oriel/protocol/event'
import { sentAtOf } from '@oriel/protocol/ids'
import { isLostEnd } from '@oriel/protocol/lost-end'
import { and, asc, between, desc, eq, gt, gte, inArray, lt, type SQL, sql } from 'drizzle-orm'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type { Sql } from 'postgres'
import * as v from 'valibot'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { DAY_MS, firstIdOf } from './partitions.ts'
import { type Recorded, toRecorded } from './recorded.ts'
import { requests, responses } from './schema.ts'

/**
 * Bytes of requests and logs in one page, before the last row that is taken. A page of 100 requests could
 * hold hundreds of MB, and a Worker has 128 MB: so a page may end early, and `next` goes on from there.
 */
export const PAGE_BYTES = 4 * 1024 * 1024

export interface RecordedPage {
  /** Newest first by time of sending. */
  readonly items: readonly Recorded[]
  /** Where the next page begins; undefined on the last one. A page may be shorter than its limit and have a next. */
  readonly next: string | undefined
}

/**
 * Planning a query over 400 days takes 40 ms, over a week 1 ms: so the last days before the place where the
 * reader is are looked at alone, and the rest only when they are not enough.
 */
const RECENT_MS = 7 * DAY_MS

/** What the record knows of requests. Runs in the Worker too: nothing here is Bun's or Node's own. */
export class History {
  readonly #db: PostgresJsDatabase
  readonly #now: () => number

  constructor(client: Sql, now: () => number = Date.now) {
    this.#db = drizzle(client)
    this.#now = now
  }

  /**
   * @param cursor a `next` of this user, or undefined for the newest
   * @param limit at least 1
   * @throws ProblemError invalid-cursor
   */
  async page(user: string, cursor: string | undefined, limit: number): Promise<RecordedPage> {
    const before = cursor === undefined ? undefined : decodeCursor(user, cursor)
    const ids = await this.#newest(eq(requests.userId, user), before, limit + 1)
    const items = await this.#load(user, ids.slice(0, limit))
    const last = items.at(-1)
    return { items, next: last && items.length < ids.length ? encodeCursor(user, last.id) : undefined }
  }

  /** The user's request of that name, with its whole log; the newest, should there be several. */
  async find(user: string, requestID: string): Promise<Recorded | undefined> {
    const named = and(eq(requests.userId, user), eq(requests.requestId, requestID))
    const [found] = await this.#load(user, await this.#newest(named, undefined, 1))
    return found
  }

  /** The request of that id, whoever sent it: for operators. */
  async ofAnyone(id: string): Promise<(Recorded & { readonly user: string }) | undefined> {
    const [row] = await this.#db.select({ user: requests.userId }).from(requests).where(eq(requests.id, id))
    const [found] = row ? await this.#load(row.user, [id]) : []
    return row && found && { ...found, user: row.user }
  }

  /**
   * The log of a request that has ended, from event `after` + 1 on, in order. It holds one part of the log
   * in memory at a time, so it is what a replay of a long log should read.
   * @param id Oriel's own id
   */
  async *events(id: string, after = 0): AsyncGenerator<RequestEvent> {
    let last = after
    const [end] = await this.#db
      .select({ n: responses.n, parts: responses.parts })
      .from(responses)
      .where(eq(responses.requestId, id))
      .groupBy(responses.n, responses.parts)
      .having(whole)
      .orderBy(desc(responses.n))
      .limit(1)
    if (!end) return
    for (;;) {
      const [row] = await this.#db
        .select({ events: responses.events, lastEventID: responses.lastEventId })
        .from(responses)
        .where(and(eq(responses.requestId, id), isOf(end), gt(responses.lastEventId, last)))
        .orderBy(asc(responses.part))
        .limit(1)
      if (!row) return
      for (const event of v.parse(v.array(RequestEvent), row.events)) {
        if (event.n <= last) continue
        if (event.n !== last + 1 && !isLostEnd(event)) throw new Error(`the record of ${id} has no event ${last + 1}`)
        last = event.n
        yield event
      }
      // Were they ever to disagree, the same part would be read for ever.
      if (last !== row.lastEventID) throw new Error(`the record of ${id} ends at ${last}, not ${row.lastEventID}`)
    }
  }

  /**
   * Whether the record has all of a request, its acceptance and its whole outcome: its actor may forget it.
   * @param n number of the terminal event: a request that was queued again has an earlier end too
   */
  async isRecorded(id: string, n: number): Promise<boolean> {
    const [row] = await this.#db
      .select({ id: requests.id })
      .from(requests)
      .innerJoin(responses, eq(responses.requestId, requests.id))
      .where(and(eq(requests.id, id), eq(responses.n, n)))
      .groupBy(requests.id, responses.parts)
      .having(whole)
    return row !== undefined
  }

  /** Those of these requests that a page would show. */
  async listed(ids: readonly string[]): Promise<string[]> {
    const sorted = [...ids].sort()
    const [low, high] = [sorted[0], sorted.at(-1)]
    if (low === undefined || high === undefined) return []
    const known = and(inArray(requests.id, sorted), between(requests.id, low, high))
    return (await this.#db.select({ id: requests.id }).from(requests).where(known)).map(({ id }) => id)
  }

  /** The ids of the newest requests, the last days first: in most cases nobody has to look further. */
  async #newest(where: SQL | undefined, before: string | undefined, count: number): Promise<string[]> {
    const from = before === undefined ? this.#now() : sentAtOf(before)
    const recent = firstIdOf(Math.max(0, from - RECENT_MS))
    const select = async (bounds: SQL | undefined, limit: number) => {
      const bounded = this.#db.select({ id: requests.id }).from(requests).where(and(where, bounds))
      return (await bounded.orderBy(desc(requests.id)).limit(limit)).map(({ id }) => id)
    }
    const first = await select(
      and(gte(requests.id, recent), before === undefined ? before : lt(requests.id, before)),
      count,
    )
    if (first.length === count) return first
    return [...first, ...(await select(lt(requests.id, recent), count - first.length))]
  }

  /** As many of these requests, all of one user and newest first, as fit a page; at least one. */
  async #load(user: string, ids: readonly string[]): Promise<Recorded[]> {
    const high = ids[0]
    const low = ids.at(-1)
    if (high === undefined || low === undefined) return []
    // The bounds let the planner see that all other days are of no concern. `sized` reads no log, only sizes.
    const rows = await this.#db.execute(sql`
      with sized as (
        select ${requests}.*, outcome.n, outcome.parts, outcome.status, ${requests.bytes} + coalesce(outcome.bytes, 0) as size,
          sum(${requests.bytes} + coalesce(outcome.bytes, 0)) over (order by ${requests.id} desc) as until
        from ${requests} left join lateral (
          select ${responses.n}, ${responses.parts}, min(${responses.status}) as status, sum(${responses.bytes}) as bytes
          from ${responses}
          where ${responses.requestId} = ${requests.id} and ${between(responses.requestId, low, high)}
          group by ${responses.n}, ${responses.parts} having ${whole} order by ${responses.n} desc limit 1
        ) as outcome on true
        where ${eq(requests.userId, user)} and ${inArray(requests.id, [...ids])} and ${between(requests.id, low, high)}
      )
      select id, request_id, model_id, version, request, body_hash, status,
        (extract(epoch from deadline_at) * 1000)::float8 as deadline_at,
        case when status is not null then (
          select json_agg(${responses.events} order by ${responses.part}) from ${responses}
          where ${responses.requestId} = sized.id
            and ${responses.n} = sized.n and ${responses.parts} = sized.parts
            and ${between(responses.requestId, low, high)}
        ) end as events
      from sized
      where until - size < ${PAGE_BYTES}
      order by id desc`)
    return rows.map(toRecorded)
  }
}

/**
 * Over the rows of one end, as it was told once: all its parts are there. One whose log was lost has one part, and should
 * the log come back after all, what follows its first part is of no use any more.
 */
const whole = sql<boolean>`count(${responses.part}) = ${responses.parts}`

const isOf = ({ n, parts }: { n: number; parts: number }) => and(eq(responses.n, n), eq(responses.parts, parts))
