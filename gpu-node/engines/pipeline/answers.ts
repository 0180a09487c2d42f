import { columnsOf, numbersOf } from './numbers.ts'
import { StageMismatch } from './stage-mismatch.ts'
import type { Transform } from './transform.ts'

export const labels: Transform<'labels'> = ({ labels, output }, [value]) => {
  const columns = scoresOf(value.name, columnsOf(value), labels)
  const numbers = numbersOf(value)
  const values: string[] = []
  for (let from = 0; from < numbers.length; from += columns) {
    const [best = 0] = ranked(numbers, from, columns, 1)
    values.push(labels[best] ?? '')
  }
  return [{ name: output, datatype: 'BYTES', shape: value.shape.slice(0, -1), values }]
}

export const topK: Transform<'top-k'> = ({ k, labels, outputs }, [value]) => {
  const columns = scoresOf(value.name, columnsOf(value), labels)
  if (k > columns) throw new StageMismatch(`"${value.name}" has ${columns} scores, fewer than k = ${k}`)
  const numbers = numbersOf(value)
  const [scores, indices]: [number[], number[]] = [[], []]
  for (let from = 0; from < numbers.length; from += columns) {
    for (const column of ranked(numbers, from, columns, k)) {
      scores.push(numbers[from + column] ?? 0)
      indices.push(column)
    }
  }
  const shape = [...value.shape.slice(0, -1), k]
  return [
    { name: outputs.scores, datatype: 'FP32', shape, values: Float32Array.from(scores) },
    ...(outputs.indices === undefined
      ? []
      : [{ name: outputs.indices, datatype: 'INT64', shape, values: BigInt64Array.from(indices, BigInt) } as const]),
    ...(outputs.labels === undefined
      ? []
      : [{ name: outputs.labels, datatype: 'BYTES', shape, values: indices.map((at) => labels?.[at] ?? '') } as const]),
  ]
}

export const threshold: Transform<'threshold'> = ({ atLeast, output }, [value]) => {
  const values = Uint8Array.from(numbersOf(value), (x) => (x >= atLeast ? 1 : 0))
  return [{ name: output, datatype: 'BOOL', shape: value.shape, values }]
}

/** The columns of the k highest, highest first; of two alike the first. NaN is the lowest. */
function ranked(numbers: ArrayLike<number>, from: number, columns: number, k: number): number[] {
  const score = (column: number) => {
    const value = numbers[from + column] ?? 0
    return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value
  }
  const order = Array.from({ length: columns }, (_, column) => column)
  return order.sort((a, b) => (score(b) > score(a) ? 1 : score(b) < score(a) ? -1 : a - b)).slice(0, k)
}

function scoresOf(name: string, columns: number, labels: readonly string[] | undefined): number {
  if (labels && labels.length !== columns) {
    throw new StageMismatch(`"${name}" has ${columns} scores for ${labels.length} labels`)
  }
  return columns
}
