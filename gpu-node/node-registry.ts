import type { Manifest } from '@oriel/protocol/manifest'
import type { NodeStatus } from '@oriel/protocol/node-status'

/** Where nodes and the models they bring are known to the others. */
export interface NodeRegistry {
  beat(status: NodeStatus): Promise<void>
  leave(node: string): Promise<void>
  /** Makes a manifest known, unless it is already. */
  announce(manifest: Manifest): Promise<void>
}
