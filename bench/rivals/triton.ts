import { copyFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pythonMinor } from '@oriel/dev/python'
import { askV2, MAX_BATCH, ONNX_RUNTIME, type Rival, type Stall } from './rival.ts'

/**
 * Triton without a container: the wheel of PyTriton holds the server and its Python backend, which runs ONNX Runtime. The
 * backend for ONNX itself is in the container only.
 */
export const triton: Rival = {
  packages: {
    name: 'rival-triton',
    requirements: ['nvidia-pytriton==0.7.0', 'numpy==1.26.4', ONNX_RUNTIME], // it writes no right JSON with numpy 2
    minors: [10, 12],
  },
  docs: 'https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/batcher.html',
  form: 'version 2',
  async start({ graph, widths, models, python, port }) {
    const library = join(python, 'lib')
    const [version = ''] = readdirSync(library).filter((name) => name === `python3.${pythonMinor()}`)
    const packages = join(library, version, 'site-packages')
    const home = join(packages, 'pytriton/tritonserver')
    const stub = 'triton_python_backend_stub'
    copyFileSync(
      join(home, 'python_backend_stubs', version.replace('python', ''), stub),
      join(home, 'backends/python', stub),
    )
    await Bun.write(join(models, graph, 'config.pbtxt'), config(widths))
    copyFileSync(join(import.meta.dir, 'python/triton_model.py'), join(models, graph, '1/model.py'))
    return {
      file: join(home, 'bin/tritonserver'),
      args: [
        ...['--model-repository', models, '--backend-directory', join(home, 'backends')],
        ...['--http-address', '127.0.0.1', '--http-port', `${port}`],
        ...['--allow-grpc', 'false', '--allow-metrics', 'false'],
      ],
      env: { SITE_PACKAGES: packages },
    }
  },
  ask: askV2,
}

const config = ([x, y]: Stall['widths']) => `backend: "python"
max_batch_size: ${MAX_BATCH}
dynamic_batching { }
input [{ name: "x", data_type: TYPE_FP32, dims: [${x}] }]
output [{ name: "y", data_type: TYPE_FP32, dims: [${y}] }]
instance_group [{ kind: KIND_CPU, count: 1 }]
`
