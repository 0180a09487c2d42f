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
/** From the beginning of one fault to that of the next, ms, more or less. */
export const EVERY_MS = 4_000
/** Nothing begins so late that the load would not see its end. */
const CALM_MS = 4_000

/** What is done to the stack and when: a function of the seed. Every fault comes once before any comes twice. */
export function planFaults(seed: number, forMs: number, only: readonly FaultName[], everyMs = EVERY_MS): Injection[] {
  const random = new Random(seed ^ 0x5eed)
  const all = FAULTS.filter(({ name }) => only.includes(name))
  const injections: Injection[] = []
  let deck: typeof all = []
  for (
    let at = FIRST_MS;
    all.length > 0 && at < forMs - CALM_MS;
    at += Math.round(everyMs * random.between(0.6, 1.4))
  ) {
    if (deck.length === 0) deck = random.shuffled(all)
    const fault = deck.pop()
    if (!fault) break
    injections.push({ at, fault: fault.name, forMs: Math.round(random.between(...fault.forMs)), which: random.next() })
  }
  return injections
}
