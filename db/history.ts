import { RequestEvent } from '@oriel/protocol/event'
import { and, asc, desc, eq, gt, lt, type SQL, sql } from 'drizzle-orm'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type { Sql } from 'postgres'
import * as v from 'valibot'
import { decodeCursor, encodeCursor } from './cursor.ts'
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

const Candidates = v.object({ candidates: v.number() })

/** What the record knows of requests. Runs in the Worker too: nothing here is Bun's or Node's own. */
export class History {
  readonly #db: PostgresJsDatabase

  constructor(client: Sql) {
    this.#db = drizzle(client)
  }

  /**
   * @param cursor a `next` of this user, or undefined for the newest
   * @param limit at least 1
   * @throws ProblemError invalid-cursor
   */
  async page(user: string, cursor: string | undefined, limit: number): Promise<RecordedPage> {
    const from = cursor === undefined ? undefined : lt(requests.id, decodeCursor(user, cursor))
    const rows = await this.#select(and(eq(requests.userId, user), from), limit)
    const items = rows.map(toRecorded)
    const last = items.at(-1)
    const candidates = rows.length > 0 ? v.parse(Candidates, rows[0]).candidates : 0
    return { items, next: last && candidates > items.length ? encodeCursor(user, last.id) : undefined }
  }

  /** The user's request of that name, with its whole log; the newest, should there be several. */
  async find(user: string, requestID: string): Promise<Recorded | undefined> {
    const named = and(eq(requests.userId, user), eq(requests.requestId, requestID))
    const [row] = await this.#select(named, 1)
    return row === undefined ? undefined : toRecorded(row)
  }

  /**
   * The log of a request that has ended, from event `after` + 1 on, in order. It holds one part of the log
   * in memory at a time, so it is what a replay of a long log should read.
   * @param id Oriel's own id
   */
  async *events(id: string, after = 0): AsyncGenerator<RequestEvent> {
    let last = after
    for (;;) {
      const [row] = await this.#db
        .select({ events: responses.events, lastEventID: responses.lastEventId })
        .from(responses)
        .where(and(eq(responses.requestId, id), gt(responses.lastEventId, last)))
        .orderBy(asc(responses.part))
        .limit(1)
      if (!row) return
      for (const event of v.parse(v.array(RequestEvent), row.events)) {
        if (event.n <= last) continue
        if (event.n !== last + 1) throw new Error(`the record of ${id} has no event ${last + 1}`)
        last = event.n
        yield event
      }
      // Were they ever to disagree, the same part would be read for ever.
      if (last !== row.lastEventID) throw new Error(`the record of ${id} ends at ${last}, not ${row.lastEventID}`)
    }
  }

  /** Whether the record has all of a request, its acceptance and its whole outcome: its actor may forget it. */
  async isRecorded(id: string): Promise<boolean> {
    const [row] = await this.#db
      .select({ ended })
      .from(requests)
      .leftJoin(responses, eq(responses.requestId, requests.id))
      .where(eq(requests.id, id))
    return row?.ended === true
  }

  async #select(where: SQL | undefined, limit: number): Promise<unknown[]> {
    // `outcome` reads sizes only; the logs are read for the rows that fit. One row too many is looked at, to
    // tell the last page.
    return this.#db.execute(sql`
      with candidate as (
        select ${requests}.*, outcome.status,
          sum(${requests.bytes} + outcome.bytes) over (order by ${requests.id} desc) as until,
          ${requests.bytes} + outcome.bytes as size
        from ${requests}, lateral (
          select case when ${ended} then min(${responses.status}) end as status,
            case when ${ended} then sum(${responses.bytes}) else 0 end as bytes
          from ${responses} where ${eq(responses.requestId, requests.id)}
        ) as outcome
        where ${where}
        order by ${desc(requests.id)}
        limit ${limit + 1}
      )
      select id, request_id, model_id, version, request, body_hash, status,
        (extract(epoch from deadline_at) * 1000)::float8 as deadline_at,
        case when status is not null then (
          select json_agg(${responses.events} order by ${responses.part})
          from ${responses} where ${responses.requestId} = candidate.id
        ) end as events,
        (select count(*)::int from candidate) as candidates
      from candidate
      where until - size < ${PAGE_BYTES}
      order by id desc
      limit ${limit}`)
  }
}

/** Over the parts of one outcome. */
const ended = sql<boolean>`coalesce(count(${responses.part}) = max(${responses.parts}), false)`
