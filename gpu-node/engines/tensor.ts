import { checkInput } from '@oriel/protocol/input'
import { ProblemError } from '@oriel/protocol/problem'
import type { Engine } from './engine.ts'
import { openGraph } from './onnx-graph.ts'
import { checkSignature } from './signature.ts'
import { decode, encode } from './tensor-codec.ts'

/** Any graph, by the manifest's inputs and outputs; without declared outputs, all that the graph has. */
export const tensorEngine: Engine = {
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
    const wanted = declared.map((output) => output.name)
    return {
      async run({ input }, { emit, step, signal }) {
        const response = await step(async () => {
          signal.throwIfAborted()
          checkInput(manifest, input)
          // checkInput has seen an object with every declared name.
          const items = input as Record<string, unknown>
          const feeds = manifest.inputs.map((spec) => [spec.name, encode(spec, items[spec.name], batched)] as const)
          const outputs = await graph.run(Object.fromEntries(feeds), wanted)
          return Object.fromEntries(
            wanted.map((name) => {
              const tensor = outputs[name]
              if (!tensor || (batched && tensor.dims[0] !== 1)) {
                throw new ProblemError({ kind: 'inference-failed', detail: `output "${name}" is not one row.` })
              }
              return [name, decode(tensor, batched)]
            }),
          )
        })
        signal.throwIfAborted()
        emit({ response })
      },
      dispose: () => graph.dispose(),
    }
  },
}
