import type { Permissions } from '@oriel/protocol/permissions'
import {
  EDGE_PERMISSIONS,
  NODE_PERMISSIONS,
  PLANNER_PERMISSIONS,
  RECORDER_PERMISSIONS,
} from '@oriel/protocol/permissions'

/** The users of the broker's account ORIEL and what each may do; the admin, who is us, may do all. */
export const IDENTITIES = {
  edge: EDGE_PERMISSIONS,
  node: NODE_PERMISSIONS,
  recorder: RECORDER_PERMISSIONS,
  planner: PLANNER_PERMISSIONS,
  admin: { publish: ['>'], subscribe: ['>'] },
} as const satisfies Record<string, Permissions>
export type Identity = keyof typeof IDENTITIES

/** Answers to an identity arrive under a prefix of its own, so that no other can read them. */
export const inboxOf = (identity: Identity) => `_INBOX_${identity}`
