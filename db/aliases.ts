import { AliasName } from '@oriel/protocol/alias'
import { ModelVersion } from '@oriel/protocol/manifest'
import { Problem } from '@oriel/protocol/problem'
import type { Sql } from 'postgres'
import * as v from 'valibot'

const Alias = v.object({
  alias: AliasName,
  version: v.nullable(ModelVersion),
  wanted: v.nullable(ModelVersion),
  failure: v.nullable(v.object({ version: ModelVersion, problem: Problem })),
  changedBy: v.string(),
  changedAt: v.date(),
})
/** `wanted`: the version that nodes are warming up, and that it is to mean then. */
export type Alias = v.InferOutput<typeof Alias>

/** The aliases of models, as people set them. Runs in the Worker: nothing here is Bun's or Node's own. */
export class Aliases {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** @returns `undefined` when there is no such model */
  async of(model: string): Promise<Alias[] | undefined> {
    const [known] = await this.#sql`select from models where name = ${model} and deleted_at is null`
    if (!known) return undefined
    const rows = await this.#sql`
      select alias, version, wanted, failure, changed_by as "changedBy", changed_at as "changedAt" from model_aliases
      where model = ${model} and coalesce(version, wanted, failure->>'version') is not null order by alias`
    return v.parse(v.array(Alias), [...rows])
  }

  /** Begins a switch. An alias that means the version already ends what is under way. */
  async set(model: string, alias: string, version: string, user: string): Promise<'no-model' | 'no-version' | 'set'> {
    return await this.#sql.begin(async (sql) => {
      // Whoever deletes a version has the same lock.
      const [known] = await sql`select from models where name = ${model} and deleted_at is null for update`
      if (!known) return 'no-model'
      const [found] = await sql`
        select from model_versions
        where model = ${model} and version = ${version} and status in ('announced', 'ready')`
      if (!found) return 'no-version'
      await sql`
        insert into model_aliases (model, alias, wanted, changed_by, changed_at)
        values (${model}, ${alias}, ${version}, ${user}, clock_timestamp())
        on conflict (model, alias) do update set
          wanted = case when model_aliases.version = excluded.wanted then null else excluded.wanted end,
          turn = model_aliases.turn + 1, failure = null, changed_by = excluded.changed_by,
          changed_at = excluded.changed_at`
      return 'set'
    })
  }

  /** @returns false when there is no such alias */
  async remove(model: string, alias: string, user: string): Promise<boolean> {
    const removed = await this.#sql`
      update model_aliases set version = null, wanted = null, failure = null, turn = turn + 1, changed_by = ${user},
        changed_at = clock_timestamp()
      where model = ${model} and alias = ${alias} and coalesce(version, wanted, failure->>'version') is not null
      returning alias`
    return removed.length > 0
  }
}
