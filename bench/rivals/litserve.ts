import { join } from 'node:path'
import { askV2, interpreter, MAX_BATCH, modelFile, ONNX_RUNTIME, PROGRAMS, type Rival } from './rival.ts'

export const litserve: Rival = {
  packages: {
    name: 'rival-litserve',
    requirements: ['litserve==0.2.19', 'numpy==2.2.6', ONNX_RUNTIME],
    minors: [10, 13],
  },
  docs: 'https://lightning.ai/docs/litserve/features/batching',
  form: 'version 2, read and written by the model’s own code',
  start: async (stall) => ({
    file: interpreter(stall),
    args: [
      ...[join(PROGRAMS, 'litserve_app.py'), modelFile(stall), `${stall.port}`],
      ...[askV2(stall.graph, []).path, `${MAX_BATCH}`],
    ],
  }),
  ask: askV2,
}
