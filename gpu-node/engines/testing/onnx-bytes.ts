/**
 * Writes small ONNX graphs by hand, so that tests need no Python and no binary fixtures.
 * Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 */

export const ELEMENT = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const
export type Element = keyof typeof ELEMENT

type Field = readonly [number: number, value: number | string | Uint8Array]
export interface PortDef {
  name: string
  type: Element
  shape: readonly (number | string)[]
}
export interface NodeDef {
  op: string
  inputs: readonly string[]
  outputs: readonly string[]
  attributes?: Record<string, number | readonly number[] | GraphDef>
}
export interface Weight {
  name: string
  dims: readonly number[]
  values: Float32Array | BigInt64Array
}
export interface GraphDef {
  inputs: readonly PortDef[]
  outputs: readonly PortDef[]
  nodes: readonly NodeDef[]
  weights?: readonly Weight[]
}

export const onnxBytes = (graph: GraphDef): Uint8Array =>
  message([
    [1, 8],
    [7, graphProto(graph)],
    [8, message([[2, 17]])],
  ])

const graphProto = (graph: GraphDef) =>
  message([
    ...graph.nodes.map((node) => [1, nodeProto(node)] as const),
    [2, 'test'],
    ...(graph.weights ?? []).map((weight) => [5, weightProto(weight)] as const),
    ...graph.inputs.map((port) => [11, portProto(port)] as const),
    ...graph.outputs.map((port) => [12, portProto(port)] as const),
  ])

const nodeProto = (node: NodeDef) =>
  message([
    ...node.inputs.map((name) => [1, name] as const),
    ...node.outputs.map((name) => [2, name] as const),
    [4, node.op],
    ...Object.entries(node.attributes ?? {}).map(([name, value]) => [5, attribute(name, value)] as const),
  ])

/** Whole numbers, lists of them, and graphs; field 20 says which: INT is 2, GRAPH 5, INTS 7. */
function attribute(name: string, value: number | readonly number[] | GraphDef): Uint8Array {
  if (typeof value === 'number') return message([...named(name, 2), [3, value]])
  if ('nodes' in value) return message([...named(name, 5), [6, graphProto(value)]])
  return message([...named(name, 7), ...value.map((item) => [8, item] as const)])
}

const named = (name: string, type: number): Field[] => [
  [1, name],
  [20, type],
]

const weightProto = ({ name, dims, values }: Weight) =>
  message([
    ...dims.map((size) => [1, size] as const),
    [2, values instanceof Float32Array ? ELEMENT.float32 : ELEMENT.int64],
    [8, name],
    [9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)],
  ])

function portProto({ name, type, shape }: PortDef): Uint8Array {
  const sizes = shape.map((size) => [1, message([[typeof size === 'number' ? 1 : 2, size]])] as const)
  const tensor = message([
    [1, ELEMENT[type]],
    [2, message(sizes)],
  ])
  return message([
    [1, name],
    [2, message([[1, tensor]])],
  ])
}

function message(fields: readonly Field[]): Uint8Array {
  return Buffer.concat(
    fields.map(([number, value]) => {
      if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)])
      const bytes = typeof value === 'string' ? Buffer.from(value) : value
      return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes])
    }),
  )
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value)) // a negative number is ten bytes long
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0))
    rest >>= 7n
  } while (rest > 0n)
  return Buffer.from(bytes)
}
