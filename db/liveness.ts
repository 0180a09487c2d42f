import type { NodeStatus } from '@oriel/protocol/node-status'
import { NODE_TTL_MS } from '@oriel/protocol/node-status'

export interface Alive {
  readonly nodes: readonly string[]
  /** `<name>.<version>` of each model version that one of them has whole. */
  readonly versions: readonly string[]
}

/**
 * Which nodes are alive: those heard lately, by this clock; a node's own may be wrong. Who has not listened for long
 * enough cannot say that anybody is silent:
 *
 *   deaf ──listens──▶ listening ──NODE_TTL_MS──▶ knowing ──deaf()──▶ deaf
 */
export class Liveness {
  readonly #heard = new Map<string, { at: number; versions: readonly string[] }>()
  #since: number | undefined

  /** The watch of the nodes has begun (again). */
  listens(now: number): void {
    this.#since = now
  }

  deaf(): void {
    this.#since = undefined
  }

  sawNode({ node, models }: NodeStatus, now: number): void {
    const whole = models.filter(({ state }) => state !== 'unavailable')
    this.#heard.set(node, { at: now, versions: whole.map(({ name, version }) => `${name}.${version}`) })
  }

  /** `undefined` while it cannot be known. */
  alive(now: number): Alive | undefined {
    if (this.#since === undefined || now - this.#since < NODE_TTL_MS) return undefined
    for (const [node, { at }] of this.#heard) if (now - at >= NODE_TTL_MS) this.#heard.delete(node)
    const versions = new Set([...this.#heard.values()].flatMap((heard) => heard.versions))
    return { nodes: [...this.#heard.keys()], versions: [...versions] }
  }
}
