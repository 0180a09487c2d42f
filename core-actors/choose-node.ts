/** A node that can answer for a model. */
export interface Candidate {
  readonly node: string
  /** The plan has the model there. */
  readonly home: boolean
  /** The model is in its memory. */
  readonly loaded: boolean
}

/** Predictions that a node may have of one relay before others have to load the model too. */
export const SPILL = 64

/**
 * Which node is asked: one of the model's home, where it is in memory, with the least to do. When all who have it in
 * memory are busy, the others of its home load it too; without a home, any node.
 *
 * @param outstanding how many predictions a node has of us now
 * @param random 0 to below 1: of several that are as good, anyone, so that relays do not all choose the same
 */
export function chooseNode(
  candidates: readonly Candidate[],
  outstanding: (node: string) => number,
  random: number,
): string | undefined {
  const atHome = candidates.filter(({ home }) => home)
  const near = atHome.length > 0 ? atHome : candidates
  const ready = near.filter(({ node, loaded }) => loaded && outstanding(node) < SPILL)
  const able = ready.length > 0 ? ready : near
  const least = Math.min(...able.map(({ node }) => outstanding(node)))
  const best = able.filter(({ node }) => outstanding(node) === least)
  return best[Math.floor(random * best.length)]?.node
}
