/** How much there is to do beside how much can be done. */
export interface Load {
  /** Nodes that take jobs. */
  readonly nodes: number
  /** Jobs that no node has taken, in all partitions. */
  readonly waiting: number
  /** Jobs taken in a second. */
  readonly drain: number
  /** Jobs in hand, of all nodes. */
  readonly busy: number
  /** Jobs that all nodes would have in hand if each were busy with one partition. */
  readonly slots: number
}

export interface ScaleSettings {
  readonly min: number
  readonly max: number
  /** More nodes are wanted when jobs would wait longer than this, ms. */
  readonly maxWaitMs: number
  /** How long more must have been wanted before it is done, and until it is done again, ms. */
  readonly upAfterMs: number
  /** The same of fewer, ms: a node that was stopped too soon has to load everything again. */
  readonly downAfterMs: number
}

/** More nodes are wanted past this occupancy … */
const HIGH_OCCUPANCY = 0.9
/** … and one less while those that are left would stay under this. */
const LOW_OCCUPANCY = 0.5

type Wish = 'more' | 'fewer' | 'none'

/*
 * Of what has been wished for without a break, and since when. A change of the number of nodes begins anew.
 *
 *   none ◀──▶ more ──upAfterMs──▶ a half more        fewer ──downAfterMs──▶ one less
 */
export interface ScaleState {
  readonly wish: Wish
  readonly since: number
  readonly nodes: number
}

export const atRest = (nodes: number, now: number): ScaleState => ({ wish: 'none', since: now, nodes })

/** How many nodes there should be now, and what to remember for the next time. */
export function decide(
  load: Load,
  state: ScaleState,
  settings: ScaleSettings,
  now: number,
): { readonly nodes: number; readonly state: ScaleState } {
  const { min, max, upAfterMs, downAfterMs } = settings
  const wish = wishOf(load, settings)
  const isSame = state.wish === wish && state.nodes === load.nodes
  const next: ScaleState = isSame ? state : { wish, since: now, nodes: load.nodes }
  const bounded = Math.min(max, Math.max(min, load.nodes))
  if (bounded !== load.nodes) return { nodes: bounded, state: next }
  const heldMs = now - next.since
  if (wish === 'more' && heldMs >= upAfterMs) {
    return { nodes: Math.min(max, load.nodes + Math.ceil(load.nodes / 2)), state: { ...next, since: now } }
  }
  if (wish === 'fewer' && heldMs >= downAfterMs) {
    return { nodes: Math.max(min, load.nodes - 1), state: { ...next, since: now } }
  }
  return { nodes: load.nodes, state: next }
}

function wishOf({ nodes, waiting, drain, busy, slots }: Load, { min, max, maxWaitMs }: ScaleSettings): Wish {
  const waitMs = waiting === 0 ? 0 : drain > 0 ? (waiting / drain) * 1000 : Number.POSITIVE_INFINITY
  if (nodes < max && (waitMs > maxWaitMs || busy > HIGH_OCCUPANCY * slots)) return 'more'
  const left = nodes > 0 ? (slots * (nodes - 1)) / nodes : 0
  if (nodes > min && waiting === 0 && busy < LOW_OCCUPANCY * left) return 'fewer'
  return 'none'
}
