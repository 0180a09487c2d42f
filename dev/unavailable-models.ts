import type { NodeStatus } from '@oriel/protocol/node-status'

/** For people: a line for each model that a node has but cannot serve, with the problem and the nodes that have it. */
export function unavailableModels(nodes: readonly NodeStatus[]): string[] {
  const found = nodes.flatMap(({ node, models }) =>
    models
      .filter(({ state }) => state === 'unavailable')
      .map(({ name, version, problem }) => ({
        node,
        name,
        version,
        why: problem?.detail ?? 'the node does not say why',
      })),
  )
  const same = Map.groupBy(found, ({ name, version, why }) => JSON.stringify([name, version, why]))
  return [...same.values()].flatMap(([first, ...more]) => {
    if (!first) return []
    const where = [first, ...more].map(({ node }) => node).join(', ')
    return [`model ${first.name} ${first.version} is unavailable on ${where}: ${first.why}`]
  })
}
