import { join } from 'node:path'
import { freePort, HOST } from '@oriel/dev/ports'
import { askV2, interpreter, MAX_BATCH, modelFile, ONNX_RUNTIME, PROGRAMS, type Rival } from './rival.ts'

/** How long it waits for a batch to fill, in seconds: it must be told, and batches nothing at 0. */
const MAX_BATCH_TIME = 0.001

export const mlserver: Rival = {
  packages: {
    name: 'rival-mlserver',
    // Its workers do not start with a newer uvloop.
    requirements: ['mlserver==1.7.1', 'uvloop==0.21.0', 'numpy==2.2.6', ONNX_RUNTIME],
    minors: [10, 12],
  },
  docs: 'https://docs.seldon.ai/mlserver/user-guide/adaptive-batching',
  form: 'version 2',
  async start(stall) {
    const { graph, models, port } = stall
    const server = {
      ...{ host: HOST, http_port: port, grpc_port: await freePort(new Set([port])) },
      ...{ metrics_endpoint: null, debug: false },
    }
    const model = {
      ...{ name: graph, implementation: 'mlserver_app.Perceptron', parameters: { uri: modelFile(stall) } },
      ...{ max_batch_size: MAX_BATCH, max_batch_time: MAX_BATCH_TIME },
    }
    await Bun.write(join(models, 'settings.json'), JSON.stringify(server))
    await Bun.write(join(models, graph, 'model-settings.json'), JSON.stringify(model))
    return {
      file: interpreter(stall),
      args: ['-c', 'from mlserver.cli.main import main; main()', 'start', models],
      env: { PYTHONPATH: PROGRAMS },
    }
  },
  ask: askV2,
}
