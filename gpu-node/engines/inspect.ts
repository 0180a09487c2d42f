import { dirname } from 'node:path'
import { DATATYPES } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import { InferenceSession } from 'onnxruntime-node'
import type { GraphPort, GraphSignature } from '../graph-signature.ts'
import { reasonOf } from './onnx-graph.ts'
import { ORT_TYPES } from './tensor-codec.ts'

/**
 * The inputs and outputs of a graph, read by the runtime itself: what cannot be loaded is found here.
 * @param file absolute path
 * @throws ProblemError model-unavailable with the runtime's reason
 */
export async function inspectGraph(file: string): Promise<GraphSignature> {
  const session = await InferenceSession.create(file, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'disabled', // it is not going to run
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  }).catch((cause: unknown) => {
    throw new ProblemError({ kind: 'model-unavailable', detail: reasonOf(cause, dirname(file)) }, { cause })
  })
  const signature = { inputs: session.inputMetadata.map(toPort), outputs: session.outputMetadata.map(toPort) }
  await session.release()
  return signature
}

const toPort = (meta: InferenceSession.ValueMetadata): GraphPort => {
  if (!meta.isTensor) return { name: meta.name, datatype: null, shape: [] }
  const datatype = DATATYPES.find((type) => ORT_TYPES[type] === meta.type) ?? null
  return { name: meta.name, datatype, shape: [...meta.shape] }
}
