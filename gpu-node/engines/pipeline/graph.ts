import type { StageOf } from '@oriel/protocol/pipeline'
import { ProblemError } from '@oriel/protocol/problem'
import type { NamedTensor } from '@oriel/protocol/tensor'
import type { OnnxGraph, Port } from '../onnx-graph.ts'
import { fromOrt, ORT_TYPES, toOrt } from '../tensor-codec.ts'
import { StageMismatch } from './stage-mismatch.ts'

/** @throws ProblemError model-unavailable: the stage names what the graph does not have */
export function graphStage(
  graph: OnnxGraph,
  { graph: file, inputs, outputs }: StageOf<'infer'>,
): (values: readonly NamedTensor[]) => Promise<readonly NamedTensor[]> {
  const feeds = Object.keys(inputs)
  const fetches = Object.keys(outputs)
  const known = (what: string, names: readonly string[], ports: readonly Port[]) => {
    const unknown = names.find((name) => !ports.some((port) => port.name === name))
    if (unknown !== undefined) throw unfit(`${file} has no ${what} "${unknown}"; it has ${list(ports)}`)
  }
  known('input', feeds, graph.inputs)
  known('output', fetches, graph.outputs)
  const unfed = graph.inputs.find(({ name }) => !feeds.includes(name))
  if (unfed) throw unfit(`${file} wants "${unfed.name}", which the stage does not give it`)
  const types = new Map(graph.inputs.map((port) => [port.name, port.type]))

  return async (values) => {
    const rows = values[0]?.shape[0]
    const given = values.map((value, index) => {
      const name = feeds[index] ?? ''
      const type = types.get(name)
      if (ORT_TYPES[value.datatype] !== type) {
        throw new StageMismatch(`"${value.name}" is ${value.datatype}, and ${file} wants ${type} as "${name}"`)
      }
      return [name, toOrt(value)] as const
    })
    const found = await graph.run(Object.fromEntries(given), fetches)
    return fetches.map((fetch) => {
      const tensor = found[fetch]
      if (!tensor || tensor.dims[0] !== rows) {
        throw new StageMismatch(`${file} gives ${tensor?.dims[0] ?? 'no'} rows of "${fetch}" for ${rows} rows`)
      }
      return fromOrt(outputs[fetch] ?? fetch, tensor)
    })
  }
}

const list = (ports: readonly Port[]) => ports.map(({ name }) => `"${name}"`).join(', ') || 'none'
const unfit = (detail: string) => new ProblemError({ kind: 'model-unavailable', detail })
