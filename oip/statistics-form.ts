import type { ModelStatistics, Tally } from './port.ts'

/** `GET /v2/models/stats` and below. What Oriel does not tell apart is in `compute_infer`. */
export const statisticsForm = (statistics: readonly ModelStatistics[]) => ({ model_stats: statistics.map(form) })

const none: Tally = { count: 0, ns: 0 }

function form(model: ModelStatistics) {
  return {
    name: model.name,
    version: model.version,
    last_inference: model.lastInferenceAt,
    inference_count: model.inferenceCount,
    execution_count: model.executionCount,
    inference_stats: {
      success: model.success,
      fail: model.fail,
      queue: model.queue,
      compute_input: { count: model.infer.count, ns: 0 },
      compute_infer: model.infer,
      compute_output: { count: model.infer.count, ns: 0 },
      cache_hit: none,
      cache_miss: none,
    },
    response_stats: {},
    batch_stats: model.batches.map(({ size, infer }) => ({
      batch_size: size,
      compute_input: { count: infer.count, ns: 0 },
      compute_infer: infer,
      compute_output: { count: infer.count, ns: 0 },
    })),
    memory_usage: model.memoryBytes === undefined ? [] : [{ type: 'CPU', id: 0, byte_size: model.memoryBytes }],
  }
}
