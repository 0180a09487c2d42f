import { isTerminal } from '../support/client.ts'
import type { FaultName } from './faults.ts'
import { type InjectedFault, type Observation, type RequestObservation, standingOf } from './observation.ts'
import { type Violation, violating } from './violation.ts'

/**
 * How late an end may be without a fault. Both the node and the request's actor act on the deadline itself; what they
 * could not do the actor tries again every second. The rest is for a machine that has more to do than it can.
 */
export const LATE_MS = 5_000
/** A half-open connection to the broker is left after 7.5 s, and the first try to connect again may come too early. */
const AFTERMATH_MS = 12_000
/** Those that can keep both the node and the actor from writing the end: whatever lies between them and the broker. */
const HOLDS_UP = (fault: FaultName) => !fault.includes('postgres') && !fault.includes('recorder') && !/host/.test(fault)

/** A request ends when its time is over, whoever is away just then. */
export function deadlineRules(request: RequestObservation, { faults }: Pick<Observation, 'faults'>): Violation[] {
  const { planned, afterwards } = request
  const end = afterwards?.log.find(isTerminal)
  if (standingOf(request) !== 'accepted' || !afterwards?.view || !end) return []
  const deadline = Date.parse(afterwards.view.sentAt) + Number(planned.request.timeoutMs)
  const at = Date.parse(String(end.data.sentAt))
  const lateMs = freeOf(faults, deadline, at)
  if (lateMs <= LATE_MS) return []
  return [
    violating(planned)('late', `${end.type} ${at - deadline} ms after its deadline, ${lateMs} of them undisturbed`),
  ]
}

/** How much of a time no fault was felt, ms. */
function freeOf(faults: readonly InjectedFault[], from: number, to: number): number {
  const felt = faults
    .filter(({ fault, skipped }) => skipped === undefined && HOLDS_UP(fault))
    .map(({ at, until }) => ({ at, until: until + AFTERMATH_MS }))
    .sort((a, b) => a.at - b.at)
  let free = 0
  let since = from
  for (const { at, until } of felt) {
    if (at > to) break
    free += Math.max(0, at - since)
    since = Math.max(since, until)
  }
  return free + Math.max(0, to - since)
}
