import type { NodeStatus } from '@oriel/protocol/node-status'
import type { Kind } from './part.ts'

export interface PartView {
  readonly name: string
  readonly kind: Kind
  readonly mode: string
  readonly pid: number | null
  readonly address: string | null
}

/** The model hosts that the nodes tell of. */
export const hostViews = (nodes: readonly NodeStatus[]): PartView[] =>
  nodes.flatMap(({ node, hosts }) =>
    hosts.map(({ name, pid }) => ({
      name: `${node}/${name}`,
      kind: 'host' as const,
      mode: 'running',
      pid,
      address: null,
    })),
  )
