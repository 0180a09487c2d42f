import type { FaultName } from './faults.ts'
import { FAULTS } from './faults.ts'
import { Random } from './random.ts'

export interface Injection {
  /** ms after the load began. */
  readonly at: number
  readonly fault: FaultName
  /** How long it lasts, ms; a killed part comes back as soon as it can. */
  readonly forMs: number
  /** In [0, 1): which of several nodes or hosts. */
  readonly which: number
}

const FIRST_MS = 2_000
/** From the beginning of one fault to that of the next, ms, more or less: at most, and where all are to fit, at least. */
const EVERY_MS = [1_200, 4_000] as const
/** Nothing begins so late that the load would not see its end. */
const CALM_MS = 4_000

/**
 * What is done to the stack and when: a function of the seed. Every fault comes once before any comes twice.
 * @param everyMs if not given, such that each comes at least once, as far as that can be
 */
export function planFaults(seed: number, forMs: number, only: readonly FaultName[], everyMs?: number): Injection[] {
  const random = new Random(seed ^ 0x5eed)
  const all = FAULTS.filter(({ name }) => only.includes(name))
  const lastAt = lastFault(forMs)
  const fitting = Math.max(EVERY_MS[0], Math.min(EVERY_MS[1], (lastAt - FIRST_MS) / all.length))
  const gapMs = everyMs ?? fitting
  const injections: Injection[] = []
  let deck: typeof all = []
  for (let slot = FIRST_MS; all.length > 0 && slot + gapMs <= lastAt; slot += gapMs) {
    if (deck.length === 0) deck = order(random.shuffled(all))
    const fault = deck.shift()
    if (!fault) break
    const at = Math.round(slot + random.between(0, 0.8) * gapMs)
    injections.push({ at, fault: fault.name, forMs: Math.round(random.between(...fault.forMs)), which: random.next() })
  }
  return injections
}

/** Of those who remember what was on the broker's disk: they are gone, or cannot tell it in time. */
const DEATHS: readonly FaultName[] = ['kill-node', 'kill-edge', 'freeze-node', 'cut:node-nats', 'hole:node-nats']

/**
 * Should the broker lose its disk, what was on it is told again by the nodes and relays that remember it. Both away
 * at once is a loss, which docs/reliability.md does not promise away: so the disk is lost when a third of the others
 * are over, and those who remember are struck in the last third, long before the next time.
 */
function order<T extends { readonly name: FaultName }>(shuffled: readonly T[]): T[] {
  const isOf = (names: readonly FaultName[]) => shuffled.filter(({ name }) => names.includes(name))
  const [wipes, deaths] = [isOf(['wipe-nats']), isOf(DEATHS)]
  if (wipes.length === 0) return [...shuffled]
  const others = shuffled.filter((fault) => !wipes.includes(fault) && !deaths.includes(fault))
  const third = Math.floor(others.length / 3)
  const last = new Set([...others.slice(2 * third), ...deaths])
  return [
    ...others.slice(0, third),
    ...wipes,
    ...others.slice(third, 2 * third),
    ...shuffled.filter((one) => last.has(one)),
  ]
}

/** The time, ms after the load began, from which on nothing new is broken. */
export const lastFault = (forMs: number): number => forMs - CALM_MS
