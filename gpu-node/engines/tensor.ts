import { ProblemError } from '@oriel/protocol/problem'
import type { BatchSession, Engine } from './engine.ts'
import { openGraph } from './onnx-graph.ts'
import { checkSignature } from './signature.ts'
import { fromOrt, toOrt } from './tensor-codec.ts'

/** Any graph, by the manifest's inputs and outputs; without declared outputs, all that the graph has. */
export const tensorEngine: Engine<BatchSession> = {
  async load(model, options) {
    const { manifest } = model
    const graph = await openGraph(model, options)
    try {
      checkSignature(manifest, graph.inputs, graph.outputs)
    } catch (error) {
      await graph.dispose()
      throw error
    }
    const batched = manifest.limits.maxBatch > 0
    const declared = manifest.outputs.length > 0 ? manifest.outputs : graph.outputs.filter((port) => port.type)
    const all = declared.map((output) => output.name)
    return {
      kind: 'batch',
      async infer(inputs, wanted = all) {
        const unknown = wanted.find((name) => !all.includes(name))
        if (unknown !== undefined) {
          const detail = `outputs: there is no "${unknown}"; the model gives ${all.map((name) => `"${name}"`).join(', ')}.`
          throw new ProblemError({ kind: 'input-mismatch', detail })
        }
        const feeds = Object.fromEntries(inputs.map((tensor) => [tensor.name, toOrt(tensor)]))
        const outputs = await graph.run(feeds, wanted)
        const rows = inputs[0]?.shape[0]
        return wanted.map((name) => {
          const tensor = outputs[name]
          if (!tensor || (batched && tensor.dims[0] !== rows)) {
            const detail = `output "${name}" has ${tensor?.dims[0] ?? 'no'} rows for ${rows} rows of input.`
            throw new ProblemError({ kind: 'inference-failed', detail })
          }
          return fromOrt(name, tensor)
        })
      },
      dispose: () => graph.dispose(),
    }
  },
}
