import type { NatsConnection } from '@nats-io/nats-core'
import type { ScaleSettings } from '@oriel/planner/autoscale'
import { Autoscaler, type NodeExecutor } from '@oriel/planner/autoscaler'
import { idleNodes, loadOf } from '@oriel/planner/load'
import { Backlog } from '@oriel/protocol/backlog'
import { BACKLOG } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { nodeStatuses } from './node-statuses.ts'

const AGAIN_MS = 1_000

/** What of a stack starts and stops nodes. */
export interface NodeParts {
  nats(): Promise<NatsConnection>
  addNode(): Promise<string>
  removeNode(name: string): Promise<void>
}

/** Node processes of a local stack. */
class LocalExecutor implements NodeExecutor {
  readonly #stack: NodeParts

  constructor(stack: NodeParts) {
    this.#stack = stack
  }

  async scale(wanted: number, { nodes }: { nodes: number }, idle: readonly string[]): Promise<void> {
    for (let count = nodes; count < wanted; count++) await this.#stack.addNode()
    // One that is given a job at this moment still finishes it, or hands it back: it drains.
    for (const name of idle.slice(0, Math.max(0, nodes - wanted))) await this.#stack.removeNode(name)
  }
}

/** Starts and stops nodes as the planner's numbers ask for it, until the answer is called. */
export function autoscale(
  stack: NodeParts,
  settings: ScaleSettings,
  log: (line: string) => void = () => {},
): () => Promise<void> {
  const stop = new AbortController()
  const autoscaler = new Autoscaler(settings, new LocalExecutor(stack), (_level, msg, { nodes, wanted, error } = {}) =>
    log(error === undefined ? `${msg}: ${wanted} instead of ${nodes}` : `${msg}: ${error}`),
  )
  const running = (async () => {
    while (!stop.signal.aborted) {
      // The broker may be away for a while: nothing is decided until it is back.
      await listen(stack, autoscaler, stop.signal).catch(() => {})
      if (!stop.signal.aborted) await Bun.sleep(AGAIN_MS)
    }
  })()
  return async () => {
    stop.abort()
    await running
    await autoscaler.idle()
  }
}

/** Comes back when the connection has ended. */
async function listen(stack: NodeParts, autoscaler: Autoscaler, signal: AbortSignal): Promise<void> {
  const nc = await stack.nats()
  const told = nc.subscribe(BACKLOG)
  const stop = () => told.unsubscribe()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    for await (const message of told) {
      const backlog = v.safeParse(v.pipe(v.string(), v.parseJson(), Backlog), message.string())
      if (!backlog.success) continue
      const serving = (await nodeStatuses(nc)).filter(({ mode }) => mode === 'serving')
      autoscaler.observe(loadOf(backlog.output, serving), idleNodes(serving), performance.now())
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await nc.close()
  }
}

/** `min..max`, as people write it; undefined for anything else. */
export function parseRange(text: string): { min: number; max: number } | undefined {
  const [, min, max] = /^(\d{1,3})\.\.(\d{1,3})$/.exec(text)?.map(Number) ?? []
  return min !== undefined && max !== undefined && min >= 1 && min <= max ? { min, max } : undefined
}
