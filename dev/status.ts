import type { NodeStatus } from '@oriel/protocol/node-status'
import { connectBroker } from './broker.ts'
import { nodeStatuses } from './node-statuses.ts'
import type { Kind } from './part.ts'
import { readPorts } from './ports.ts'
import { processRow } from './process-table.ts'
import { isAlive, readRun } from './run-file.ts'
import { readSecrets } from './secrets.ts'
import type { StateDir } from './state-dir.ts'
import { unavailableModels } from './unavailable-models.ts'

export interface PartView {
  readonly name: string
  readonly kind: Kind
  readonly mode: string
  readonly pid: number | null
  readonly address: string | null
}

export interface Status {
  /** Null while a request would not succeed yet. */
  readonly url: string | null
  readonly parts: readonly PartView[]
  /** A line for each model that a node has but cannot serve. */
  readonly unavailable: readonly string[]
}

/** The stack that runs in a state folder, seen from another process; undefined when none does. */
export async function readStatus(dir: StateDir): Promise<Status | undefined> {
  const run = readRun(dir)
  if (!run || !isAlive(run)) return undefined
  const own = run.parts.map(({ name, kind, mode, pid, address }) => {
    const alive = pid !== null && processRow(pid) !== undefined
    return { name, kind, mode: alive || mode !== 'running' ? mode : 'died', pid: alive ? pid : null, address }
  })
  const nodes = await heartbeats(dir)
  return { url: run.url, parts: [...own, ...hostViews(nodes)], unavailable: unavailableModels(nodes) }
}

async function heartbeats(dir: StateDir): Promise<NodeStatus[]> {
  const ports = readPorts(dir)
  if (!ports) return []
  try {
    const nc = await connectBroker(ports.nats, 'admin', readSecrets(dir).nats.admin)
    try {
      return await nodeStatuses(nc)
    } finally {
      await nc.close()
    }
  } catch {
    return [] // without the broker nobody knows of them, and its own line says that it is away
  }
}

/** The model hosts that the nodes tell of, as far as they are alive: a heartbeat may be older than a death. */
export const hostViews = (nodes: readonly NodeStatus[]): PartView[] =>
  nodes.flatMap(({ node, hosts }) =>
    hosts
      .filter(({ pid }) => processRow(pid) !== undefined)
      .map(({ name, pid }) => ({
        name: `${node}/${name}`,
        kind: 'host' as const,
        mode: 'running',
        pid,
        address: null,
      })),
  )

/** For people: a line for each part, and for each model that is not well. */
export function statusTable({ url, parts, unavailable }: Status): string {
  const rows = [
    ['part', 'state', 'address', 'pid'],
    ...parts.map(({ name, mode, address, pid }) => [name, mode, address ?? '-', pid === null ? '-' : String(pid)]),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const below = unavailable.length > 0 ? ['', ...unavailable] : []
  return [url ?? 'starting: a request would not succeed yet', '', ...lines, ...below].join('\n')
}
