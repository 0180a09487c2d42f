import { Manifest, ModelName, ModelVersion } from '@oriel/protocol/manifest'
import { type ModelChange, VERSION_STATUSES, type VersionStatus } from '@oriel/protocol/model-registry'
import { Problem } from '@oriel/protocol/problem'
import { LOG_MAX_AGE_MS } from '@oriel/protocol/streams'
import type { Sql, TransactionSql } from 'postgres'
import * as v from 'valibot'
import { firstIdOf } from './partitions.ts'

const Version = v.object({
  model: ModelName,
  version: ModelVersion,
  status: v.picklist(VERSION_STATUSES),
  manifest: Manifest,
  missing: v.array(v.string()),
  problem: v.nullable(Problem),
  deprecated: v.boolean(),
  createdBy: v.nullable(v.string()),
  createdAt: v.date(),
})
/** `missing`: the addresses of its files that are not stored yet. */
export type Version = v.InferOutput<typeof Version>

const Model = v.object({
  name: ModelName,
  owner: v.nullable(v.string()),
  contact: v.nullable(v.string()),
  description: v.string(),
  environment: v.nullable(v.string()),
  createdBy: v.nullable(v.string()),
  registered: v.boolean(),
  createdAt: v.date(),
})
export type Model = v.InferOutput<typeof Model>

/** A manifest without its number: the next one is taken. */
export type DraftManifest = Omit<Manifest, 'version'> & { readonly version?: string | undefined }

export interface Search {
  readonly q?: string | undefined
  readonly status?: VersionStatus | undefined
  readonly after?: string | undefined
  readonly limit: number
}

/** `conflict`: its number is used, for good. `mismatch`: a file that is stored has other `bytes` than the manifest says. */
export type Registration =
  | { readonly kind: 'made'; readonly version: Version }
  | { readonly kind: 'no-model' }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'mismatch'; readonly sha256: string; readonly bytes: number }

export type Deletion =
  | { readonly kind: 'deleted' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'aliased'; readonly version: string; readonly alias: string }
  | { readonly kind: 'in-use'; readonly version: string; readonly requests: number }

/** Models and their versions, as people register them. Runs in the Worker: nothing here is Bun's or Node's own. */
export class ModelRegistry {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** @returns false when somebody has registered it already; one that nodes only announce can be */
  async create(name: string, about: ModelChange, user: string): Promise<boolean> {
    const { owner = null, contact = null, description = '', environment = null } = about
    const made = await this.#sql`
      insert into models (name, owner, contact, description, environment, created_by, registered_at)
      values (${name}, ${owner}, ${contact}, ${description}, ${environment}, ${user}, now())
      on conflict (name) do update set owner = excluded.owner, contact = excluded.contact,
        description = excluded.description, environment = excluded.environment, created_by = excluded.created_by,
        registered_at = now(), deleted_at = null
      where models.registered_at is null or models.deleted_at is not null
      returning name`
    return made.length > 0
  }

  /** Changes what is given. @returns false when there is no such model */
  async change(name: string, about: ModelChange): Promise<boolean> {
    const { owner = null, contact = null, description = null, environment = null } = about
    const changed = await this.#sql`
      update models set owner = coalesce(${owner}, owner), contact = coalesce(${contact}, contact),
        description = coalesce(${description}, description), environment = coalesce(${environment}, environment)
      where name = ${name} and registered_at is not null and deleted_at is null
      returning name`
    return changed.length > 0
  }

  async model(name: string): Promise<{ model: Model; versions: Version[] } | undefined> {
    const [row] = await this.#sql`
      select name, owner, contact, description, environment, created_by as "createdBy",
        registered_at is not null as registered, coalesce(registered_at, first_seen) as "createdAt"
      from models where name = ${name} and deleted_at is null`
    if (!row) return undefined
    const rows = await this.#versions(this.#sql`model = ${name} and status <> 'deleted'`)
    return { model: v.parse(Model, row), versions: rows }
  }

  /**
   * Registered models by name, those after `after`.
   * @param q words that all have to be in what is told of a model
   * @param status only models with a version that stands so
   */
  async search({ q = '', status, after = '', limit }: Search): Promise<{ model: Model; versions: Version[] }[]> {
    const words = q
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '')
    const rows = await this.#sql`
      select name from models
      where registered_at is not null and deleted_at is null and name collate "C" > ${after}
        and not exists (
          select from jsonb_array_elements_text(${this.#sql.json(words)}) word
          where position(word in lower(concat_ws(E'\n', name, owner, contact, description, environment))) = 0
        )
        and (${status ?? null}::text is null or exists (
          select from model_versions where model = models.name and model_versions.status = ${status ?? null}::text
        ))
      order by name collate "C" limit ${limit}`
    const found = await Promise.all(rows.map(({ name }) => this.model(String(name))))
    return found.filter((one) => one !== undefined)
  }

  /** Also one that was deleted. */
  async version(name: string, version: string): Promise<Version | undefined> {
    const [found] = await this.#versions(this.#sql`model = ${name} and version = ${version}`)
    return found
  }

  /** @returns the version as it stands */
  async register({ version, ...draft }: DraftManifest, user: string): Promise<Registration> {
    const { name } = draft
    const outcome = await this.#sql.begin(async (sql): Promise<Registration | string> => {
      if (!(await locked(sql, name))) return { kind: 'no-model' }
      const mismatch = await mismatchOf(sql, draft.files)
      if (mismatch) return { kind: 'mismatch', ...mismatch }
      const [last] =
        await sql`select coalesce(max(version::int), 0) as number from model_versions where model = ${name}`
      const given = version ?? String(Number(last?.number) + 1)
      const manifest = { ...draft, ...(await aboutOf(sql, draft)), version: given }
      const made = await sql`
        insert into model_versions (model, version, manifest, status, created_by, changed_at)
        values (${name}, ${given}, ${sql.json(manifest as never)}, 'uploading', ${user}, clock_timestamp())
        on conflict do nothing returning version`
      return made.length > 0 ? given : { kind: 'conflict' }
    })
    if (typeof outcome !== 'string') return outcome
    const made = await this.version(name, outcome)
    return made ? { kind: 'made', version: made } : { kind: 'conflict' }
  }

  /** @returns false when there is no such registered version */
  async deprecate(name: string, version: string, deprecated: boolean): Promise<boolean> {
    const changed = await this.#sql`
      update model_versions set deprecated = ${deprecated}, changed_at = clock_timestamp()
      where model = ${name} and version = ${version} and status not in ('announced', 'deleted') returning version`
    return changed.length > 0
  }

  /**
   * Files that nothing needs any more are missing from then on; `Uploads.drop` removes them.
   * @param version all of them unless given, and the model with them
   */
  async delete(name: string, version: string | undefined): Promise<Deletion> {
    return await this.#sql.begin(async (sql): Promise<Deletion> => {
      if (!(await locked(sql, name))) return { kind: 'not-found' }
      const which = version === undefined ? sql`true` : sql`version = ${version}`
      const rows = await sql`
        select version, manifest from model_versions
        where model = ${name} and ${which} and status not in ('announced', 'deleted') order by version::int`
      if (version !== undefined && rows.length === 0) return { kind: 'not-found' }
      const [aliased] = await sql`
        select alias, coalesce(version, wanted) as version from model_aliases
        where model = ${name} and coalesce(version, wanted) is not null
          and (${version ?? null}::text is null or ${version ?? null}::text in (version, wanted)) limit 1`
      if (aliased) return { kind: 'aliased', version: version ?? String(aliased.version), alias: String(aliased.alias) }
      const versions = v.parse(v.array(v.object({ version: ModelVersion, manifest: Manifest })), rows)
      for (const { version } of versions) {
        const requests = await openRequests(sql, name, version)
        if (requests > 0) return { kind: 'in-use', version, requests }
      }
      await sql`
        update model_versions set status = 'deleted', changed_at = clock_timestamp()
        where model = ${name} and ${which} and status not in ('announced', 'deleted')`
      if (version === undefined) await sql`update models set deleted_at = now() where name = ${name}`
      await giveUpFiles(
        sql,
        versions.flatMap(({ manifest }) => manifest.files.map((file) => file.sha256)),
      )
      return { kind: 'deleted' }
    })
  }

  async #versions(which: ReturnType<Sql>): Promise<Version[]> {
    const rows = await this.#sql`
      select model, version, status, manifest, problem, deprecated, created_by as "createdBy", first_seen as "createdAt",
        coalesce((
          select jsonb_agg(distinct file->>'sha256') from jsonb_array_elements(manifest->'files') file
          where status in ('uploading', 'checking') and not exists (
            select from artifacts where sha256 = file->>'sha256' and dropping_at is null
          )
        ), '[]') as missing
      from model_versions where ${which} order by version::int desc`
    return rows.map((row) => v.parse(Version, row))
  }
}

/** What a manifest does not say of itself is its model's: relays and nodes see nothing else. */
async function aboutOf(sql: TransactionSql, { name, ...draft }: DraftManifest): Promise<Partial<Manifest>> {
  const [row] = await sql`select owner, contact, description from models where name = ${name}`
  const text = v.nullable(v.string())
  const model = v.parse(v.object({ owner: text, contact: text, description: v.string() }), row)
  const owner = draft.owner ?? model.owner
  const contact = draft.contact ?? model.contact
  const description = draft.description || model.description
  return { description, ...(owner !== null && { owner }), ...(contact !== null && { contact }) }
}

/**
 * Waits for deletions of these files that are under way, and lets none begin before the transaction ends: what is deleted
 * is missing, and what is there stays.
 * @returns a file that is stored with another size
 */
async function mismatchOf(sql: TransactionSql, files: Manifest['files']) {
  const said = new Map(files.map(({ sha256, bytes }) => [sha256, bytes]))
  const rows = await sql`
    select sha256, bytes::float8 as bytes from artifacts where sha256 in ${sql([...said.keys()])} and dropping_at is null
    order by sha256 for share`
  const stored = v.parse(v.array(v.object({ sha256: v.string(), bytes: v.number() })), rows)
  return stored.find(({ sha256, bytes }) => said.get(sha256) !== bytes)
}

/** One change of a model at a time. @returns false when it is not registered */
async function locked(sql: TransactionSql, name: string): Promise<boolean> {
  const found = await sql`
    select from models where name = ${name} and registered_at is not null and deleted_at is null for update`
  return found.length > 0
}

/** Requests that the record knows and whose end it does not; those of the last moments it may not know yet. */
async function openRequests(sql: TransactionSql, model: string, version: string): Promise<number> {
  const [row] = await sql`
    select count(*)::int as open from requests
    where id >= ${firstIdOf(Date.now() - LOG_MAX_AGE_MS)} and model_id = ${model} and version = ${version} and deadline_at > now()
      and not exists (select from responses where responses.request_id = requests.id)`
  return Number(row?.open)
}

/**
 * Those of these files that no version needs are to be removed. Whoever registers a version with one of them meanwhile
 * waits, and finds it missing.
 */
async function giveUpFiles(sql: TransactionSql, addresses: readonly string[]): Promise<void> {
  const all = [...new Set(addresses)].sort()
  if (all.length === 0) return
  await sql`select from artifacts where sha256 in ${sql(all)} order by sha256 for update`
  await sql`
    update artifacts set dropping_at = now() where sha256 in ${sql(all)} and not exists (
      select from model_versions
      where status not in ('announced', 'deleted', 'refused')
        and manifest->'files' @> jsonb_build_array(jsonb_build_object('sha256', artifacts.sha256))
    )`
}
