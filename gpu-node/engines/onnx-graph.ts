import { type Problem, ProblemError } from '@oriel/protocol/problem'
import { InferenceSession, type Tensor } from 'onnxruntime-node'
import type { LocalModel } from '../model-runner.ts'
import type { EngineOptions } from './engine.ts'
import { graphFile, listedFile } from './model-file.ts'

/** One input or output as the graph declares it. A symbolic dimension is its name. */
export interface Port {
  readonly name: string
  /** undefined: not a tensor, which ONNX Runtime cannot hand to JavaScript. */
  readonly type: Tensor.Type | undefined
  readonly shape: readonly (number | string)[]
}

/** A graph in ONNX Runtime. `run` holds the thread until it is done, for all that it returns a promise. */
export interface OnnxGraph {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /** @throws ProblemError out-of-memory, or inference-failed with the runtime's own reason */
  run(feeds: Record<string, Tensor>, fetches: readonly string[]): Promise<Record<string, Tensor>>
  dispose(): Promise<void>
}

/** @param file that the manifest lists; without it, the model's one graph */
export async function openGraph(
  model: LocalModel,
  options: EngineOptions,
  file = graphFile(model),
): Promise<OnnxGraph> {
  const session = await InferenceSession.create(listedFile(model, file), {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    // Threads that spin while they wait take the cores of other hosts: two of them on two busy cores halved the speed.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    logSeverityLevel: 4, // fatal: an error is told once, as the problem of its run
    // Shapes differ from run to run, and a pattern is kept in memory for every shape that was ever seen.
    enableMemPattern: false,
  }).catch((cause: unknown) => {
    throw new ProblemError({ kind: 'model-unavailable', detail: `${file}: ${reasonOf(cause, model.dir)}` }, { cause })
  })
  return {
    inputs: session.inputMetadata.map(toPort),
    outputs: session.outputMetadata.map(toPort),
    async run(feeds, fetches) {
      try {
        // Only tensors can be fetched, so only tensors come back.
        return (await session.run(feeds, [...fetches])) as Record<string, Tensor>
      } catch (cause) {
        throw new ProblemError(failure(cause, model), { cause })
      }
    },
    dispose: () => session.release(),
  }
}

const toPort = (meta: InferenceSession.ValueMetadata): Port =>
  meta.isTensor
    ? { name: meta.name, type: meta.type, shape: meta.shape }
    : { name: meta.name, type: undefined, shape: [] }

/** The runtime's arena, where it asks the system for memory; and what C++ throws when it asks in another place. */
const NO_MEMORY = /Failed to allocate memory for requested buffer of size (\d+)|bad_alloc|bad allocation/

function failure(cause: unknown, model: LocalModel): Problem {
  const noMemory = NO_MEMORY.exec(cause instanceof Error ? cause.message : String(cause))
  if (!noMemory) return { kind: 'inference-failed', detail: reasonOf(cause, model.dir) }
  const bytes = noMemory[1] ? `${noMemory[1]} bytes of memory` : 'memory'
  return { kind: 'out-of-memory', detail: `The model asked for ${bytes}, and the node had no more.` }
}

/** The runtime's first line: it names the operator or the input, and our folders, which are nobody's business. */
export function reasonOf(cause: unknown, dir: string): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return (text.split('\n')[0] ?? '').replaceAll(`${dir}/`, '').slice(0, 300)
}
