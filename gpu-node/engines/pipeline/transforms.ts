import { ProblemError } from '@oriel/protocol/problem'
import { countOf, type NamedTensor, newValues, type TensorValues } from '@oriel/protocol/tensor'
import { columnsOf, mapped, numbersOf } from './numbers.ts'
import { StageMismatch } from './stage-mismatch.ts'
import type { Transform } from './transform.ts'

export const scale: Transform<'scale'> = ({ subtract, divide, output }, [value]) => {
  const columns = columnsOf(value)
  const [less, by] = [perColumn('subtract', subtract, columns), perColumn('divide', divide, columns)]
  return [mapped(output, value, numbersOf(value), (x, index) => (x - less(index)) / by(index))]
}

function perColumn(what: string, given: number | readonly number[], columns: number): (index: number) => number {
  if (typeof given === 'number') return () => given
  if (given.length !== columns) {
    throw new StageMismatch(`${what} has ${given.length} numbers for ${columns} columns`)
  }
  return (index) => given[index % columns] ?? 0
}

export const cast: Transform<'cast'> = ({ datatype, output }, [{ name, shape, values }]) => {
  const count = countOf(shape)
  const to = newValues(datatype, count)
  const isText = Array.isArray(values)
  for (let index = 0; index < count; index++) {
    const value = values[index] ?? 0
    if (Array.isArray(to)) to[index] = String(value)
    else if (to instanceof BigInt64Array || to instanceof BigUint64Array) to[index] = whole(name, value)
    else if (datatype === 'BOOL') to[index] = Number(value) === 0 ? 0 : 1
    else to[index] = number(name, value, isText)
  }
  return [{ name: output, datatype, shape, values: to }]
}

function whole(name: string, value: number | bigint | string): bigint {
  try {
    return typeof value === 'number' ? BigInt(Math.trunc(value)) : BigInt(value)
  } catch {
    throw notNumber(name)
  }
}

function number(name: string, value: number | bigint | string, isText: boolean): number {
  const found = Number(value)
  if (isText && Number.isNaN(found)) throw notNumber(name)
  return found
}

/** The input's fault, not the pipeline's. */
const notNumber = (name: string) =>
  new ProblemError({ kind: 'input-mismatch', detail: `a value of "${name}" is not a number of the type it is cast to` })

export const reshape: Transform<'reshape'> = ({ shape, output }, [value]) => {
  const rows = value.shape[0] ?? 0
  const each = countOf(value.shape.slice(1))
  const known = countOf(shape.filter((size) => size !== -1))
  const item = shape.map((size) => (size === -1 ? each / known : size))
  if (countOf(item) !== each || !item.every(Number.isInteger)) {
    throw new StageMismatch(`"${value.name}" has ${each} values a row, which is not [${shape.join(', ')}]`)
  }
  return [{ ...value, name: output, shape: [rows, ...item] }]
}

export const concat: Transform<'concat'> = ({ output }, inputs) => {
  const [first] = inputs
  const ahead = first.shape.length > 1 ? first.shape.slice(0, -1) : first.shape
  const widths = inputs.map((input) => {
    const own = input.shape.length > 1 ? input.shape.slice(0, -1) : input.shape
    if (input.datatype !== first.datatype) {
      throw new StageMismatch(`"${input.name}" is ${input.datatype} beside ${first.datatype}; cast it first`)
    }
    if (own.join() !== ahead.join()) {
      throw new StageMismatch(`"${input.name}" of shape [${input.shape}] does not fit beside [${first.shape}]`)
    }
    return columnsOf(input)
  })
  const columns = widths.reduce((sum, width) => sum + width, 0)
  const lines = countOf(ahead)
  const values = newValues(first.datatype, lines * columns)
  let from = 0
  for (const [index, width] of widths.entries()) {
    copyColumns(inputs[index]?.values ?? [], values, lines, width, columns, from)
    from += width
  }
  return [{ name: output, datatype: first.datatype, shape: [...ahead, columns], values }]
}

function copyColumns(
  from: TensorValues,
  to: ReturnType<typeof newValues>,
  lines: number,
  width: number,
  columns: number,
  at: number,
): void {
  for (let line = 0; line < lines; line++) {
    for (let column = 0; column < width; column++) {
      // Of one datatype, which the unions cannot show to the compiler.
      ;(to as unknown[])[line * columns + at + column] = from[line * width + column]
    }
  }
}

export const sigmoid: Transform<'sigmoid'> = ({ output }, [value]) => [
  mapped(output, value, numbersOf(value), (x) => 1 / (1 + Math.exp(-x))),
]

export const softmax: Transform<'softmax'> = ({ output }, [value]) => {
  const columns = columnsOf(value)
  const numbers = numbersOf(value)
  const values = new Float32Array(numbers.length)
  for (let from = 0; from < numbers.length; from += columns) {
    let peak = Number.NEGATIVE_INFINITY
    for (let at = from; at < from + columns; at++) peak = Math.max(peak, numbers[at] ?? 0)
    let total = 0
    for (let at = from; at < from + columns; at++) {
      values[at] = Math.exp((numbers[at] ?? 0) - peak)
      total += values[at] ?? 0
    }
    for (let at = from; at < from + columns; at++) values[at] = (values[at] ?? 0) / total
  }
  return [{ name: output, datatype: 'FP32', shape: value.shape, values } satisfies NamedTensor]
}
