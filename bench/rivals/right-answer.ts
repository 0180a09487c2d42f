import { GRAPHS, type GraphName, perceptron } from '../graphs.ts'

/** A row to ask with. */
export const rowFor = (graph: GraphName): number[] =>
  Array.from({ length: GRAPHS[graph][0] }, (_, index) => ((index % 17) - 8) / 8)

/** What a graph makes of a row, reckoned in double precision and without any runtime. */
export function rightAnswer(graph: GraphName, row: readonly number[]): number[] {
  const widths = GRAPHS[graph]
  const { weights = [] } = perceptron(widths)
  let values = [...row]
  for (const [layer, width] of widths.slice(1).entries()) {
    const w = weights[layer * 2]?.values as Float32Array
    const b = weights[layer * 2 + 1]?.values as Float32Array
    const isLast = layer === widths.length - 2
    values = Array.from({ length: width }, (_, column) => {
      const sum = values.reduce(
        (total, value, index) => total + value * (w[index * width + column] ?? 0),
        b[column] ?? 0,
      )
      return isLast ? sum : Math.max(0, sum)
    })
  }
  return values
}
