import { Payload } from '@oriel/protocol/fact'
import { Problem } from '@oriel/protocol/problem'
import { and, desc, eq, lt, type SQL } from 'drizzle-orm'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type { Sql } from 'postgres'
import * as v from 'valibot'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { predictions } from './schema.ts'

const Row = v.object({
  id: v.string(),
  modelId: v.string(),
  version: v.string(),
  node: v.string(),
  status: v.picklist(['completed', 'failed']),
  problem: v.nullable(Problem),
  tookMs: v.number(),
  input: Payload,
  output: v.nullable(Payload),
})
export type RecordedPrediction = v.InferOutput<typeof Row>

export interface PredictionPage {
  /** Newest first. */
  readonly items: readonly RecordedPrediction[]
  readonly next: string | undefined
}

/** A cursor of another list is not one of this. */
const placeOf = (user: string) => `predictions\0${user}`

/** What the record knows of predictions that were answered at once. Runs in the Worker too. */
export class RecordedPredictions {
  readonly #db: PostgresJsDatabase

  constructor(client: Sql) {
    this.#db = drizzle(client)
  }

  /** @param model only its predictions @throws ProblemError invalid-cursor */
  async page(
    user: string,
    model: string | undefined,
    cursor: string | undefined,
    limit: number,
  ): Promise<PredictionPage> {
    const before = cursor === undefined ? undefined : decodeCursor(placeOf(user), cursor)
    const rows = await this.#select(
      and(
        eq(predictions.userId, user),
        model === undefined ? undefined : eq(predictions.modelId, model),
        before === undefined ? undefined : lt(predictions.id, before),
      ),
      limit + 1,
    )
    const items = rows.slice(0, limit)
    const last = items.at(-1)
    return { items, next: last && rows.length > limit ? encodeCursor(placeOf(user), last.id) : undefined }
  }

  async find(user: string, id: string): Promise<RecordedPrediction | undefined> {
    const [found] = await this.#select(and(eq(predictions.userId, user), eq(predictions.id, id)), 1)
    return found
  }

  async #select(where: SQL | undefined, limit: number): Promise<RecordedPrediction[]> {
    const rows = await this.#db.select().from(predictions).where(where).orderBy(desc(predictions.id)).limit(limit)
    return rows.map((row) => v.parse(Row, row))
  }
}
