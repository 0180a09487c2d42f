import { cancelRules } from './cancel-rules.ts'
import { deadlineRules } from './deadline-rules.ts'
import { endRules } from './end-rules.ts'
import { historyRules } from './history-rules.ts'
import type { Observation } from './observation.ts'
import { readerRules } from './reader-rules.ts'
import { submitRules } from './submit-rules.ts'
import type { Violation } from './violation.ts'

/** Everything that a client could hold against the service. Reads only what clients got. */
export function check(observation: Observation): Violation[] {
  const own = observation.requests.flatMap((request) => [
    ...submitRules(request),
    ...readerRules(request),
    ...endRules(request, observation),
    ...deadlineRules(request, observation),
    ...cancelRules(request),
  ])
  return [...own, ...historyRules(observation)]
}
