import type { NatsConnection } from '@nats-io/nats-core'
import type { RequestId } from '@oriel/protocol/ids'
import { sentAtOf } from '@oriel/protocol/ids'
import type { Catalog } from './catalog.ts'
import type { About } from './channel.ts'
import { parseEntry } from './log-entry.ts'
import { LogStore } from './log-store.ts'
import type { QueueDepth } from './queue-depth.ts'
import { newsOf } from './waiting.ts'

export interface NewsSources {
  readonly connection: NatsConnection
  readonly catalog: Catalog
  readonly depth: QueueDepth
}

/** Tells a request that waits where it stands, unless its log has moved on. @throws when the broker does not answer */
export async function tellNews(
  { connection, catalog, depth }: NewsSources,
  shard: number,
  id: RequestId,
  { model, version, lane }: About,
): Promise<void> {
  const log = new LogStore(connection)
  const raw = await log.last(shard, id)
  if (!raw) return
  const { event: last, sequence } = parseEntry(raw)
  const partition = catalog.partitionOf(model)
  await depth.refresh(connection, partition, lane, Date.now())
  const now = Date.now()
  const served = catalog.serves(model, version, now)
  const news = newsOf(last, { served, depth: depth.of(partition, lane), sentAt: sentAtOf(id), now })
  // The fence refuses it when a node was faster.
  if (news) await log.append(shard, id, { ...news, n: last.n + 1, at: now }, sequence)
}
