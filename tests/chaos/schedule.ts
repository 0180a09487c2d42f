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
    if (deck.length === 0) deck = random.shuffled(all)
    const fault = deck.pop()
    if (!fault) break
    const at = Math.round(slot + random.between(0, 0.8) * gapMs)
    injections.push({ at, fault: fault.name, forMs: Math.round(random.between(...fault.forMs)), which: random.next() })
  }
  return injections
}

/** The time, ms after the load began, from which on nothing new is broken. */
export const lastFault = (forMs: number): number => forMs - CALM_MS
