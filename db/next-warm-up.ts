import type { NodeStatus } from '@oriel/protocol/node-status'
import type { Switch } from './alias-table.ts'

/** What is known of the nodes that live. */
export interface Nodes {
  readonly statuses: readonly NodeStatus[]
  /** Where the plan has the model. */
  readonly homes: readonly string[]
}

export type NextWarmUp =
  | { readonly kind: 'done' }
  | { readonly kind: 'node'; readonly node: string }
  | { readonly kind: 'nobody' }

/**
 * Which node has to load the new version next. Needed are the model's homes and the nodes that have in memory what the
 * alias means until now: there its requests go. A model that is nowhere yet is warmed up by one node. Nodes go one
 * after the other, so that only one at a time has a load beside its requests.
 */
export function nextWarmUp({ model, from, to, registered }: Switch, { statuses, homes }: Nodes): NextWarmUp {
  const copy = (status: NodeStatus, version: string) =>
    status.models.find((one) => one.name === model && one.version === version)
  const isLoaded = (status: NodeStatus, version: string) => copy(status, version)?.state === 'loaded'
  const able = statuses
    .filter((status) => status.mode === 'serving' && ((registered && status.registry) || copy(status, to)))
    .sort((a, b) => (a.node < b.node ? -1 : 1))
  const hasOld = (status: NodeStatus) =>
    from === null ? status.models.some((one) => one.name === model && one.state === 'loaded') : isLoaded(status, from)
  const needed = able.filter((status) => homes.includes(status.node) || hasOld(status))
  const all = needed.length > 0 ? needed : able
  const cold = all.filter((status) => !isLoaded(status, to))
  const mayBeCold = needed.length > 0 ? 0 : all.length - 1
  const [next] = cold
  if (all.length === 0) return { kind: 'nobody' }
  return next && cold.length > mayBeCold ? { kind: 'node', node: next.node } : { kind: 'done' }
}
