import type { PredictionCount } from '@oriel/core-actors/prediction-counts'
import type { ModelStatistics, Tally } from '@oriel/oip/port'

const NS_PER_MS = 1e6
const none: Tally = { count: 0, ns: 0 }

/** The sums of all relays, by version. What only nodes can tell apart is in their own metrics. */
export function statisticsOf(counts: readonly PredictionCount[]): ModelStatistics[] {
  const byVersion = new Map<string, ModelStatistics>()
  for (const { model, version, lastAt, answered, failed } of counts) {
    const key = `${model}/${version}`
    const before = byVersion.get(key) ?? noStatistics(model, version)
    const success = sum(before.success, answered)
    byVersion.set(key, {
      ...before,
      lastInferenceAt: Math.max(before.lastInferenceAt, lastAt),
      inferenceCount: success.count,
      executionCount: success.count,
      success,
      fail: sum(before.fail, failed),
    })
  }
  return [...byVersion.values()]
}

export const noStatistics = (name: string, version: string): ModelStatistics => ({
  name,
  version,
  lastInferenceAt: 0,
  inferenceCount: 0,
  executionCount: 0,
  success: none,
  fail: none,
  queue: none,
  infer: none,
  batches: [],
})

const sum = (a: Tally, b: { count: number; ms: number }): Tally => ({
  count: a.count + b.count,
  ns: a.ns + b.ms * NS_PER_MS,
})
