import { pipelineFault, type Stage, stageName, wiresOf } from '@oriel/protocol/pipeline'
import { ProblemError } from '@oriel/protocol/problem'
import { countOf, type NamedTensor, newValues } from '@oriel/protocol/tensor'
import type { LocalModel } from '../../model-runner.ts'
import type { BatchSession, Engine, EngineOptions } from '../engine.ts'
import { type OnnxGraph, openGraph } from '../onnx-graph.ts'
import { labels, threshold, topK } from './answers.ts'
import { graphStage } from './graph.ts'
import { mean, vote } from './joins.ts'
import { StageMismatch } from './stage-mismatch.ts'
import { openTokenizer } from './tokens.ts'
import type { Transform } from './transform.ts'
import { cast, concat, reshape, scale, sigmoid, softmax } from './transforms.ts'

const TRANSFORMS = {
  scale,
  cast,
  reshape,
  concat,
  softmax,
  sigmoid,
  labels,
  'top-k': topK,
  threshold,
  mean,
  vote,
} as const satisfies { [K in Exclude<Stage['stage'], 'tokenize' | 'infer'>]: Transform<K> }

type StageRun = (inputs: readonly NamedTensor[]) => readonly NamedTensor[] | Promise<readonly NamedTensor[]>

interface Step {
  readonly name: string
  readonly reads: readonly string[]
  readonly run: StageRun
}

/** Stages over named values, as `protocol/pipeline.ts` has them: a chain, an ensemble, or both. */
export const pipelineEngine: Engine<BatchSession> = {
  async load(model, options) {
    const { manifest } = model
    const fault = pipelineFault(manifest)
    if (fault) throw unfit(fault)
    const graphs = new Map<string, OnnxGraph>()
    const dispose = async () => {
      for (const graph of graphs.values()) await graph.dispose()
    }
    try {
      const steps = await openSteps(model, options, graphs)
      await rehearse(model, steps)
      return {
        kind: 'batch',
        async infer(inputs, outputs = manifest.outputs.map(({ name }) => name)) {
          const values = await runSteps(steps, inputs)
          return outputs.map((name) => answer(model, name, values))
        },
        dispose,
      }
    } catch (error) {
      await dispose()
      throw error
    }
  },
}

async function openSteps(model: LocalModel, options: EngineOptions, graphs: Map<string, OnnxGraph>): Promise<Step[]> {
  const steps: Step[] = []
  for (const [index, stage] of (model.manifest.stages ?? []).entries()) {
    const name = stageName(index, stage)
    const run = await openStage(model, stage, async (file) => {
      const known = graphs.get(file)
      if (known) return known
      const graph = await openGraph(model, options, file)
      graphs.set(file, graph)
      return graph
    }).catch((error) => {
      throw error instanceof ProblemError ? inStage(name, error) : error
    })
    steps.push({ name, reads: wiresOf(stage).reads, run })
  }
  return steps
}

async function openStage(model: LocalModel, stage: Stage, open: (file: string) => Promise<OnnxGraph>) {
  if (stage.stage === 'infer') return graphStage(await open(stage.graph), stage)
  if (stage.stage === 'tokenize') {
    const tokenize = await openTokenizer(model, stage)
    return ([text]: readonly NamedTensor[]) => tokenize(given(text))
  }
  // Each transform has the stage of its own name, which the table cannot show to the compiler.
  const transform = TRANSFORMS[stage.stage] as Transform<Stage['stage']>
  return ([first, ...others]: readonly NamedTensor[]) => transform(stage, [given(first), ...others])
}

async function runSteps(steps: readonly Step[], inputs: readonly NamedTensor[]): Promise<Map<string, NamedTensor>> {
  const values = new Map(inputs.map((tensor) => [tensor.name, tensor]))
  for (const { name, reads, run } of steps) {
    try {
      for (const made of await run(reads.map((read) => given(values.get(read))))) values.set(made.name, made)
    } catch (error) {
      throw error instanceof ProblemError ? inStage(name, error) : error
    }
  }
  return values
}

/** One made-up row at load: what does not fit together is then told before anybody asks. */
async function rehearse(model: LocalModel, steps: readonly Step[]): Promise<void> {
  const inputs = model.manifest.inputs.map(({ name, datatype, shape }): NamedTensor => {
    const item = shape.map((size) => (size === -1 ? 1 : size))
    return { name, datatype, shape: [1, ...item], values: newValues(datatype, countOf(item)) }
  })
  try {
    const values = await runSteps(steps, inputs)
    for (const { name } of model.manifest.outputs) answer(model, name, values)
  } catch (error) {
    // What the runtime thinks of a row of zeros is no fault of the pipeline.
    if (error instanceof StageMismatch) throw unfit(error.problem.detail)
    if (!(error instanceof ProblemError)) throw error
  }
}

function answer({ manifest }: LocalModel, name: string, values: ReadonlyMap<string, NamedTensor>): NamedTensor {
  const spec = manifest.outputs.find((output) => output.name === name)
  const found = values.get(name)
  if (!spec || !found) {
    const known = manifest.outputs.map(({ name }) => `"${name}"`).join(', ')
    const detail = `outputs: there is no "${name}"; the model gives ${known}.`
    throw new ProblemError({ kind: 'input-mismatch', detail })
  }
  const [, ...item] = found.shape
  const fits = item.length === spec.shape.length && spec.shape.every((size, at) => size === -1 || size === item[at])
  if (found.datatype === spec.datatype && fits) return found
  const declared = `${spec.datatype} [${spec.shape.join(', ')}]`
  throw new StageMismatch(`output "${name}" is ${found.datatype} [${item.join(', ')}], declared as ${declared}.`)
}

/** `pipelineFault` has seen to it. */
function given(value: NamedTensor | undefined): NamedTensor {
  if (!value) throw new Error('a stage reads a value that no stage has made')
  return value
}

function inStage(name: string, error: ProblemError): ProblemError {
  const detail = `${name}: ${error.problem.detail.replace(/\.$/, '')}.`
  return error instanceof StageMismatch
    ? new StageMismatch(detail)
    : new ProblemError({ ...error.problem, detail }, { cause: error })
}

const unfit = (detail: string) => new ProblemError({ kind: 'model-unavailable', detail })
