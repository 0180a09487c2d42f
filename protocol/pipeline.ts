import * as v from 'valibot'
import { DATATYPES } from './datatype.ts'

/*
 * A pipeline is a list of stages over named values. It begins with the model's inputs; each stage reads values and
 * makes new ones; what the model's outputs name is the answer. A value has the batch dimension in front, and shapes
 * here are those of one item. All graphs are files of the version: a chain or an ensemble is loaded, replaced and
 * rolled back as one, and its stages run in one host.
 */

const name = v.pipe(v.string(), v.minLength(1))
const named = v.record(name, name)
const finite = v.pipe(v.number(), v.finite())
const perColumn = v.union([finite, v.pipe(v.array(finite), v.minLength(1))])
const labels = v.pipe(v.array(v.string()), v.minLength(1))
const several = v.pipe(v.array(name), v.minLength(2))
const whole = v.pipe(v.number(), v.integer(), v.minValue(1))

export const Stage = v.variant('stage', [
  /**
   * Texts to tokens, INT64 [length]. Rows are filled up to the longest, where the mask is 0; without a mask always to
   * `maxLength`, so that an answer does not depend on who else is in the batch.
   */
  v.strictObject({
    stage: v.literal('tokenize'),
    input: name,
    tokenizer: v.optional(v.string(), 'tokenizer.json'),
    /** Tokens beyond it are cut off. */
    maxLength: v.optional(whole),
    padding: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
    outputs: v.strictObject({ ids: name, mask: v.optional(name) }),
  }),
  /** Runs a graph: its own names on the left, the pipeline's on the right. */
  v.strictObject({ stage: v.literal('infer'), graph: v.string(), inputs: named, outputs: named }),
  /** `(x - subtract) / divide` as FP32, by one number or one for each column of the last dimension. */
  v.strictObject({
    stage: v.literal('scale'),
    input: name,
    output: name,
    subtract: v.optional(perColumn, 0),
    divide: v.optional(perColumn, 1),
  }),
  v.strictObject({ stage: v.literal('cast'), input: name, output: name, datatype: v.picklist(DATATYPES) }),
  /** -1, once, is whatever is left. */
  v.strictObject({
    stage: v.literal('reshape'),
    input: name,
    output: name,
    shape: v.array(v.pipe(v.number(), v.integer(), v.minValue(-1))),
  }),
  /** Side by side in the last dimension; a scalar is one column. Before an `infer`, a stacked ensemble. */
  v.strictObject({ stage: v.literal('concat'), inputs: several, output: name }),
  v.strictObject({ stage: v.literal('softmax'), input: name, output: name }),
  v.strictObject({ stage: v.literal('sigmoid'), input: name, output: name }),
  /** The label of the highest score. */
  v.strictObject({ stage: v.literal('labels'), input: name, output: name, labels }),
  /** The k highest scores, highest first, and whose they are. */
  v.strictObject({
    stage: v.literal('top-k'),
    input: name,
    k: whole,
    labels: v.optional(labels),
    outputs: v.strictObject({ scores: name, indices: v.optional(name), labels: v.optional(name) }),
  }),
  /** BOOL: whether a value is at least so high. */
  v.strictObject({ stage: v.literal('threshold'), input: name, output: name, atLeast: finite }),
  /** Value by value, FP32; weights are shares of their sum. */
  v.strictObject({
    stage: v.literal('mean'),
    inputs: several,
    output: name,
    weights: v.optional(v.array(v.pipe(finite, v.minValue(0)))),
  }),
  /** Value by value, what most inputs say; of two with as many votes, the first. Not of scores: of labels or classes. */
  v.strictObject({
    stage: v.literal('vote'),
    inputs: several,
    output: name,
    weights: v.optional(v.array(v.pipe(finite, v.minValue(0)))),
  }),
])
export type Stage = v.InferOutput<typeof Stage>
export type StageOf<K extends Stage['stage']> = Extract<Stage, { stage: K }>

/** The values that a stage reads and makes. */
export function wiresOf(stage: Stage): { readonly reads: readonly string[]; readonly makes: readonly string[] } {
  const reads =
    'input' in stage ? [stage.input] : Array.isArray(stage.inputs) ? stage.inputs : Object.values(stage.inputs)
  const makes = 'output' in stage ? [stage.output] : Object.values(stage.outputs).filter((name) => name !== undefined)
  return { reads, makes }
}

interface Piped {
  readonly engine: string
  readonly inputs: readonly { readonly name: string }[]
  readonly outputs: readonly { readonly name: string }[]
  readonly stages?: readonly Stage[] | undefined
  readonly limits: { readonly maxBatch: number }
  readonly files: readonly { readonly path: string }[]
}

/**
 * What is wrong with a manifest as a pipeline, as one sentence that names the stage; `undefined` when its ends meet.
 * Of a model that is none: whether it has stages all the same.
 */
export function pipelineFault({ engine, inputs, outputs, stages, limits, files }: Piped): string | undefined {
  if (engine !== 'pipeline') return stages && 'stages: only a pipeline has them.'
  if (!stages || stages.length === 0) return 'stages: a pipeline needs at least one.'
  if (limits.maxBatch < 1) return 'limits.maxBatch: a pipeline has a batch dimension, so at least 1.'
  if (outputs.length === 0) return 'outputs: a pipeline must declare what it gives.'
  const known = new Set(inputs.map(({ name }) => name))
  for (const [index, stage] of stages.entries()) {
    const fault = stageFault(stage, known, new Set(files.map(({ path }) => path)))
    if (fault) return `${stageName(index, stage)}: ${fault}.`
    for (const made of wiresOf(stage).makes) known.add(made)
  }
  const missing = outputs.find(({ name }) => !known.has(name))
  return missing && `outputs: no stage makes "${missing.name}"; there are ${quoted(known)}.`
}

/** As people count: the first is stage 1. */
export const stageName = (index: number, { stage }: Stage): string => `stage ${index + 1} (${stage})`

function stageFault(stage: Stage, known: ReadonlySet<string>, files: ReadonlySet<string>): string | undefined {
  const { reads, makes } = wiresOf(stage)
  const unknown = reads.find((value) => !known.has(value))
  if (unknown !== undefined) return `nothing before it makes "${unknown}"; there are ${quoted(known)}`
  const twice = makes.find((value, index) => known.has(value) || makes.indexOf(value) !== index)
  if (twice !== undefined) return `"${twice}" is there already; a value is made once`
  if (reads.length === 0 || makes.length === 0) return 'it needs at least one input and one output'
  const file = stage.stage === 'infer' ? stage.graph : stage.stage === 'tokenize' ? stage.tokenizer : undefined
  if (file !== undefined && !files.has(file)) return `the manifest lists no file ${file}`
  if ('weights' in stage && stage.weights) {
    if (stage.weights.length !== stage.inputs.length) {
      return `${stage.weights.length} weights for ${stage.inputs.length} inputs`
    }
    if (!stage.weights.some((weight) => weight > 0)) return 'all weights are 0'
  }
  if (stage.stage === 'top-k' && (stage.outputs.labels === undefined) !== (stage.labels === undefined)) {
    return 'labels, and a name for them among its outputs, come together'
  }
  if (stage.stage === 'tokenize' && stage.outputs.mask === undefined && stage.maxLength === undefined) {
    return 'without a mask among its outputs it needs maxLength'
  }
  if (stage.stage === 'reshape' && stage.shape.filter((size) => size === -1).length > 1) return 'more than one -1'
  return undefined
}

const quoted = (names: Iterable<string>) => [...names].map((name) => `"${name}"`).join(', ') || 'none'
