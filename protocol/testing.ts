import type { NodeStatus } from './node-status.ts'

/** A node that serves, for tests that look at something else. */
export const nodeStatus = (node: string, changes: Partial<NodeStatus> = {}): NodeStatus => ({
  node,
  pid: 1,
  startedAt: 0,
  lastHeartbeat: 0,
  mode: 'serving',
  slots: 1,
  busy: 0,
  hosts: [],
  models: [],
  ...changes,
})
