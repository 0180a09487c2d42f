import type { Observation, RequestObservation } from './observation.ts'
import { waitsOf } from './report.ts'
import { timelineOf } from './timeline.ts'

/** A request whose client waited longest, once: when, and all that is known of the request. */
export interface Slow {
  readonly pauseMs: number
  readonly from: string
  readonly to: string
  readonly timeline: readonly string[]
}

/** The longest waits of a run, one for each request: what they were made of is in the timelines. */
export function slowestOf(observation: Observation, count: number): Slow[] {
  return observation.requests
    .flatMap((request) => longestOf(request) ?? [])
    .sort((a, b) => b.pauseMs - a.pauseMs)
    .slice(0, count)
    .map(({ request, from, to, pauseMs }) => ({
      pauseMs,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      timeline: timelineOf(request, observation),
    }))
}

function longestOf(request: RequestObservation) {
  const waits = waitsOf(request).map(({ from, to }) => ({ request, from, to, pauseMs: to - from }))
  return waits.sort((a, b) => b.pauseMs - a.pauseMs)[0]
}
