import { interpreter, MAX_BATCH, modelFile, ONNX_RUNTIME, PROGRAMS, type Rival } from './rival.ts'

export const bentoml: Rival = {
  packages: {
    name: 'rival-bentoml',
    requirements: ['bentoml==1.4.39', 'numpy==2.2.6', ONNX_RUNTIME],
    minors: [10, 13],
  },
  docs: 'https://docs.bentoml.com/en/latest/get-started/adaptive-batching.html',
  form: 'its own JSON: {"x": [[…]]}, answered with [[…]]',
  start: async (stall) => ({
    file: interpreter(stall),
    args: [
      ...['-m', 'bentoml', 'serve', 'bentoml_app:Perceptron', '--working-dir', PROGRAMS],
      ...['--host', '127.0.0.1', '--port', `${stall.port}`],
    ],
    env: { MODEL: modelFile(stall), MAX_BATCH: `${MAX_BATCH}`, BENTOML_DO_NOT_TRACK: 'True' },
  }),
  ask: (_graph, row) => ({ path: '/predict', body: JSON.stringify({ x: [row] }) }),
}
