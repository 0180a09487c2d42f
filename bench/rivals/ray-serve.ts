import { join } from 'node:path'
import { askV2, interpreter, MAX_BATCH, modelFile, ONNX_RUNTIME, PROGRAMS, type Rival } from './rival.ts'

export const rayServe: Rival = {
  packages: {
    name: 'rival-ray',
    requirements: ['ray[serve]==2.60.0', 'numpy==2.2.6', ONNX_RUNTIME],
    minors: [10, 13],
  },
  docs: 'https://docs.ray.io/en/latest/serve/advanced-guides/dyn-req-batch.html',
  form: 'version 2, read and written by the model’s own code',
  start: async (stall) => ({
    file: interpreter(stall),
    args: [join(PROGRAMS, 'ray_app.py'), modelFile(stall), `${stall.port}`, `${MAX_BATCH}`],
    env: { RAY_USAGE_STATS_ENABLED: '0' },
  }),
  ask: askV2,
}
