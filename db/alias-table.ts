import { ModelAliases } from '@oriel/protocol/alias'
import { ModelName, ModelVersion } from '@oriel/protocol/manifest'
import type { Problem } from '@oriel/protocol/problem'
import * as v from 'valibot'
import type { Database } from './database.ts'

const Row = v.object({ model: ModelName, aliases: ModelAliases })

const Switch = v.object({
  model: ModelName,
  alias: v.string(),
  /** What the alias means until then. */
  from: v.nullable(ModelVersion),
  to: ModelVersion,
  turn: v.number(),
  /** Any node can fetch it. */
  registered: v.boolean(),
})
/** An alias on its way to another version. */
export type Switch = v.InferOutput<typeof Switch>

/** What the recorder reads and writes of aliases in PostgreSQL. */
export class AliasTable {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** By model, those of models with a change lately, or of all models. */
  async changed(lately?: { readonly seconds: number }): Promise<Map<string, ModelAliases>> {
    const since = lately
      ? `where model in (
          select model from model_aliases where changed_at > now() - interval '${Math.ceil(lately.seconds)} seconds')`
      : ''
    const rows = await this.#database.run((client) => client.unsafe(`${SELECT} ${since} group by model`))
    return new Map(v.parse(v.array(Row), [...rows]).map(({ model, aliases }) => [model, aliases]))
  }

  /** Those under way, the oldest first. */
  async switches(): Promise<Switch[]> {
    return v.parse(v.array(Switch), [...(await this.#database.run((client) => client.unsafe(SWITCHES)))])
  }

  /** The alias means the new version. Not when somebody has asked for something else meanwhile. */
  async finish({ model, alias, turn }: Switch): Promise<void> {
    await this.#database.run((client) => client.unsafe(FINISH, [model, alias, turn], { prepare: true }))
  }

  /** The alias means what it did. */
  async fail({ model, alias, turn, to }: Switch, problem: Problem): Promise<void> {
    const failure = JSON.stringify({ version: to, problem })
    await this.#database.run((client) => client.unsafe(FAIL, [model, alias, turn, failure], { prepare: true }))
  }
}

const SELECT = `
  select model, coalesce(jsonb_object_agg(alias, version) filter (where version is not null), '{}') as aliases
  from model_aliases`

const SWITCHES = `
  select alias.model, alias.alias, alias.version as from, alias.wanted as to, alias.turn, known.status = 'ready' as registered
  from model_aliases alias
  join model_versions known on known.model = alias.model and known.version = alias.wanted
  order by alias.changed_at limit 20`

const FINISH = `
  update model_aliases set version = wanted, wanted = null, failure = null, changed_at = clock_timestamp()
  where model = $1 and alias = $2 and turn = $3 and wanted is not null`

const FAIL = `
  update model_aliases set wanted = null, failure = $4::text::jsonb, changed_at = clock_timestamp()
  where model = $1 and alias = $2 and turn = $3 and wanted is not null`
