import * as v from 'valibot'
import type { Database } from './database.ts'
import type { Alive } from './liveness.ts'
import type { Log } from './log.ts'

const Marked = v.array(
  v.object({ kind: v.picklist(['node', 'model']), name: v.string(), stale: v.boolean(), left: v.boolean() }),
)

/** Flags nodes that are silent, and versions that no live node has; takes the flag from those that are back. */
export async function markStale(database: Database, { nodes, versions }: Alive, log: Log): Promise<void> {
  const values = [JSON.stringify(nodes), JSON.stringify(versions)]
  const marked = await database.run((client) => client.unsafe(MARK, values, { prepare: true }))
  for (const { kind, name, stale, left } of v.parse(Marked, marked)) {
    if (!stale) log('info', `a ${kind} is there again`, { [kind]: name })
    else if (left) log('info', 'a node has left', { node: name })
    else if (kind === 'node') log('warn', 'a node is not heard of any more', { node: name })
    else log('warn', 'no live node has this model any more', { model: name })
  }
}

// A node that took its leave was draining when it was last heard.
const MARK = `
  with node as (
    update nodes set stale = not stale where stale = ($1::text::jsonb ? name)
    returning name, stale, coalesce(status->>'mode' = 'draining', false) as left
  ), version as (
    update model_versions set stale = not stale where status = 'announced' and stale = ($2::text::jsonb ? (model || '.' || version))
    returning model || '.' || version as name, stale
  )
  select 'node' as kind, name, stale, "left" from node
  union all select 'model', name, stale, false from version order by kind, name`
