import type { NamedTensor } from '@oriel/protocol/tensor'
import { StageMismatch } from './stage-mismatch.ts'

/** The values of any tensor but texts, as doubles where they are 64-bit integers. @throws StageMismatch */
export function numbersOf({ name, values }: NamedTensor): ArrayLike<number> {
  if (Array.isArray(values)) throw new StageMismatch(`"${name}" is text, not numbers`)
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return Float64Array.from(values, Number)
  return values as Float32Array
}

/** Of the last dimension of an item; a scalar is one column. */
export const columnsOf = ({ shape }: NamedTensor): number => (shape.length > 1 ? (shape.at(-1) ?? 1) : 1)

/** FP32 of the shape of another. */
export function mapped(
  name: string,
  { shape }: NamedTensor,
  numbers: ArrayLike<number>,
  to: (value: number, index: number) => number,
): NamedTensor {
  const values = new Float32Array(numbers.length)
  for (let index = 0; index < numbers.length; index++) values[index] = to(numbers[index] ?? 0, index)
  return { name, datatype: 'FP32', shape, values }
}
