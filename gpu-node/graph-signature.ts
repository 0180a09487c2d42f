import { DATATYPES } from '@oriel/protocol/manifest'
import * as v from 'valibot'

const GraphPort = v.object({
  name: v.string(),
  /** null: a type that ONNX Runtime cannot hand to JavaScript, such as a list of maps. */
  datatype: v.nullable(v.picklist(DATATYPES)),
  /** With all dimensions, as the graph declares them; a symbolic one is its name. */
  shape: v.array(v.union([v.number(), v.string()])),
})
export type GraphPort = v.InferOutput<typeof GraphPort>

/** What a graph says of itself. */
export const GraphSignature = v.object({ inputs: v.array(GraphPort), outputs: v.array(GraphPort) })
export type GraphSignature = v.InferOutput<typeof GraphSignature>
