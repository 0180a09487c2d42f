import type { CheckAnswer } from '@oriel/protocol/check'
import type { KnownVersion } from '@oriel/protocol/known-version'
import { Manifest } from '@oriel/protocol/manifest'
import type { Problem, ProblemKind } from '@oriel/protocol/problem'
import { modelKey } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Database } from './database.ts'

/** A registered version as the broker's bucket should have it; `undefined`: it should not. */
export interface Registered {
  readonly key: string
  readonly known: KnownVersion | undefined
}

/** About four hours: then it is refused, with the reason of the last. */
const TRIES = 30
/** It may have been another who ended the host, but not each time. */
const TRIES_WITH_ITS_HOST = 3
const ENDED_THE_HOST: readonly ProblemKind[] = ['host-crashed', 'host-hung']

const Row = v.object({ status: v.string(), deprecated: v.boolean(), manifest: Manifest })
const Rows = v.pipe(v.array(v.pipe(Row, v.transform(registeredOf))))

/** What the registrar reads and writes of the registry in PostgreSQL. */
export class RegisteredVersions {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Those that changed lately, or all of them. */
  async changed(lately?: { readonly seconds: number }): Promise<Registered[]> {
    const since = lately ? `and changed_at > now() - interval '${Math.ceil(lately.seconds)} seconds'` : ''
    const rows = await this.#database.run((client) => client.unsafe(`${SELECT} ${since}`, [], { prepare: true }))
    return v.parse(Rows, rows)
  }

  /** Versions whose files have all come are to be checked. @returns those that are */
  async toCheck(): Promise<Manifest[]> {
    await this.#database.run((client) => client.unsafe(REFUSE_MISMATCHED, [], { prepare: true }))
    const rows = await this.#database.run((client) => client.unsafe(PROMOTE, [], { prepare: true }))
    return v.parse(v.array(v.object({ manifest: Manifest })), rows).map(({ manifest }) => manifest)
  }

  /**
   * It could not be checked, and goes behind the others; each time it waits longer, to ten minutes.
   * @param why what the node said; `undefined`: none answered, which does not count
   */
  async tried({ name, version }: Manifest, why: Problem | undefined): Promise<void> {
    const most = why && ENDED_THE_HOST.includes(why.kind) ? TRIES_WITH_ITS_HOST : TRIES
    const values = [name, version, why ? 1 : 0, most, JSON.stringify(why ?? null)]
    await this.#database.run((client) => client.unsafe(TRIED, values, { prepare: true }))
  }

  /** Only what is still being checked: it may have been deleted meanwhile. */
  async settle({ name, version }: Manifest, answer: Extract<CheckAnswer, { kind: 'fit' | 'unfit' }>): Promise<void> {
    const told =
      answer.kind === 'fit'
        ? { status: 'ready', manifest: JSON.stringify(answer.manifest), problem: null }
        : { status: 'refused', manifest: null, problem: JSON.stringify(answer.problem) }
    const values = [name, version, told.status, told.manifest, told.problem]
    await this.#database.run((client) => client.unsafe(SETTLE, values, { prepare: true }))
  }
}

function registeredOf({ status, deprecated, manifest }: v.InferOutput<typeof Row>): Registered {
  const key = modelKey(manifest.name, manifest.version)
  if (status !== 'ready') return { key, known: undefined }
  return { key, known: { ...manifest, registered: true, ...(deprecated && { deprecated }) } }
}

const SELECT = `select status, deprecated, manifest from model_versions where status <> 'announced'`

/** A file came after its manifest, and has another size than that says. */
const REFUSE_MISMATCHED = `
  update model_versions set status = 'refused', changed_at = clock_timestamp(), problem = jsonb_build_object(
    'kind', 'content-mismatch',
    'detail', 'The file ' || mismatch.sha256 || ' has ' || mismatch.bytes || ' bytes: the manifest has another number.'
  )
  from (
    select distinct on (model, version) model, version, artifacts.sha256, artifacts.bytes
    from model_versions, jsonb_array_elements(manifest->'files') file
    join artifacts on artifacts.sha256 = file->>'sha256' and dropping_at is null
    where status = 'uploading' and artifacts.bytes <> (file->>'bytes')::numeric
    order by model, version, artifacts.sha256
  ) mismatch
  where model_versions.model = mismatch.model and model_versions.version = mismatch.version and status = 'uploading'`

const PROMOTE = `
  with complete as (
    update model_versions set status = 'checking', changed_at = clock_timestamp()
    where status = 'uploading' and not exists (
      select from jsonb_array_elements(manifest->'files') file
      where not exists (select from artifacts where sha256 = file->>'sha256' and dropping_at is null)
    ) returning manifest, changed_at, tried_at, tries
  )
  select manifest from (
    select manifest, changed_at, tried_at, tries from complete
    union all select manifest, changed_at, tried_at, tries from model_versions where status = 'checking'
  ) as pending
  where tried_at is null or tried_at <= clock_timestamp() - least(5 * 2 ^ least(tries, 10), 600) * interval '1 second'
  order by coalesce(tried_at, changed_at) limit 20`

const TRIED = `
  update model_versions
  set tried_at = clock_timestamp(), tries = tries + $3::int,
    status = case when tries + $3::int >= $4::int then 'refused' else status end,
    problem = case when tries + $3::int >= $4::int then $5::text::jsonb else problem end,
    changed_at = case when tries + $3::int >= $4::int then clock_timestamp() else changed_at end
  where model = $1 and version = $2 and status = 'checking'`

const SETTLE = `
  update model_versions
  set status = $3, manifest = coalesce($4::text::jsonb, manifest), problem = $5::text::jsonb, changed_at = clock_timestamp()
  where model = $1 and version = $2 and status = 'checking'`
