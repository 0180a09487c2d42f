import type { Backlog } from '@oriel/protocol/backlog'
import type { NodeStatus } from '@oriel/protocol/node-status'
import type { Load } from './autoscale.ts'

/** The load of all nodes together. */
export function loadOf(backlog: Backlog, serving: readonly NodeStatus[]): Load {
  const sum = <T>(all: readonly T[], of: (each: T) => number) => all.reduce((total, each) => total + of(each), 0)
  return {
    nodes: serving.length,
    waiting: sum(backlog.partitions, ({ waiting }) => waiting),
    drain: sum(backlog.partitions, ({ drain }) => drain),
    busy: sum(serving, ({ busy }) => busy),
    slots: sum(serving, ({ slots }) => slots),
  }
}

/** Names of the nodes that have nothing in hand, the last to have come first. */
export const idleNodes = (serving: readonly NodeStatus[]): string[] =>
  serving
    .filter(({ busy }) => busy === 0)
    .sort((a, b) => b.startedAt - a.startedAt)
    .map(({ node }) => node)
