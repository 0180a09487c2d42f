import type { Manifest } from '@oriel/protocol/manifest'
import type { NodeStatus } from '@oriel/protocol/node-status'
import type { Database } from './database.ts'

/**
 * Models and nodes in PostgreSQL. What is seen between two flushes is joined, so a thousand heartbeats are
 * one statement; what could not be written is kept for the next flush, and only the last of each is kept.
 */
export class Registry {
  readonly #database: Database
  readonly #manifests = new Map<string, Manifest>()
  readonly #nodes = new Map<string, NodeStatus>()

  constructor(database: Database) {
    this.#database = database
  }

  sawModel(manifest: Manifest): void {
    this.#manifests.set(`${manifest.name}.${manifest.version}`, manifest)
  }

  sawNode(status: NodeStatus): void {
    this.#nodes.set(status.node, status)
  }

  async flush(): Promise<void> {
    const manifests = [...this.#manifests.values()]
    const nodes = [...this.#nodes.values()]
    if (manifests.length === 0 && nodes.length === 0) return
    await this.#database.run((client) => client.unsafe(UPSERT, parameters(manifests, nodes), { prepare: true }))
    for (const manifest of manifests) forget(this.#manifests, `${manifest.name}.${manifest.version}`, manifest)
    for (const node of nodes) forget(this.#nodes, node.node, node)
  }
}

/** Unless a newer one came while it was written. */
function forget<T>(map: Map<string, T>, key: string, written: T): void {
  if (map.get(key) === written) map.delete(key)
}

function parameters(manifests: readonly Manifest[], nodes: readonly NodeStatus[]): [string, string] {
  const versions = new Map<string, { model: string; version: string; manifest?: Manifest; seen_at?: number }>()
  const at = (model: string, version: string) => {
    const key = `${model}.${version}`
    const row = versions.get(key) ?? { model, version }
    versions.set(key, row)
    return row
  }
  for (const manifest of manifests) at(manifest.name, manifest.version).manifest = manifest
  for (const { models, lastHeartbeat } of nodes) {
    for (const { name, version, state } of models) {
      if (state === 'unavailable') continue
      const row = at(name, version)
      row.seen_at = Math.max(row.seen_at ?? 0, lastHeartbeat)
    }
  }
  const rows = nodes.map((status) => ({ name: status.node, status, seen_at: status.lastHeartbeat }))
  return [JSON.stringify([...versions.values()]), JSON.stringify(rows)]
}

// What was registered is not changed by what nodes say. A version is inserted with its manifest only: a node may tell
// of it before its manifest was seen, and tells again soon. `greatest` takes no notice of nulls.
const UPSERT = `
  with version as materialized (
    select model, version, manifest, to_timestamp(seen_at / 1000) as seen_at
    from jsonb_to_recordset($1::text::jsonb) as fact (model text, version text, manifest jsonb, seen_at float8)
  ), model as (
    insert into models (name, last_heartbeat) select model, max(seen_at) from version group by model order by model
    on conflict (name) do update set last_heartbeat = greatest(models.last_heartbeat, excluded.last_heartbeat)
    where excluded.last_heartbeat > coalesce(models.last_heartbeat, '-infinity')
  ), manifest as (
    insert into model_versions (model, version, manifest, last_heartbeat)
    select model, version, manifest, seen_at from version where manifest is not null order by model, version
    on conflict (model, version) do update set
      manifest = case when model_versions.status = 'announced' then excluded.manifest else model_versions.manifest end,
      last_heartbeat = greatest(model_versions.last_heartbeat, excluded.last_heartbeat)
  ), beat as (
    update model_versions set last_heartbeat = version.seen_at from version
    where version.manifest is null and model_versions.model = version.model
      and model_versions.version = version.version
      and version.seen_at > coalesce(model_versions.last_heartbeat, '-infinity')
  )
  insert into nodes (name, status, last_heartbeat)
  select name, status, to_timestamp(seen_at / 1000)
  from jsonb_to_recordset($2::text::jsonb) as fact (name text, status jsonb, seen_at float8) order by name
  on conflict (name) do update set status = excluded.status, last_heartbeat = excluded.last_heartbeat
  where excluded.last_heartbeat > nodes.last_heartbeat`
