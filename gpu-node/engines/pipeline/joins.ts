import { type NamedTensor, newValues } from '@oriel/protocol/tensor'
import { numbersOf } from './numbers.ts'
import { StageMismatch } from './stage-mismatch.ts'
import type { Transform } from './transform.ts'

export const mean: Transform<'mean'> = ({ weights, output }, inputs) => {
  const [first] = inputs
  alike(inputs)
  const shares = sharesOf(weights, inputs.length)
  const values = new Float32Array(first.values.length)
  const sums = new Float64Array(first.values.length)
  for (const [member, input] of inputs.entries()) {
    const numbers = numbersOf(input)
    for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] ?? 0) + (numbers[at] ?? 0) * (shares[member] ?? 0)
  }
  values.set(sums)
  return [{ name: output, datatype: 'FP32', shape: first.shape, values }]
}

export const vote: Transform<'vote'> = ({ weights, output }, inputs) => {
  const [first] = inputs
  alike(inputs)
  for (const { name, datatype } of inputs) {
    if (datatype !== first.datatype) throw new StageMismatch(`"${name}" is ${datatype} beside ${first.datatype}`)
  }
  const shares = sharesOf(weights, inputs.length)
  const values = newValues(first.datatype, first.values.length)
  for (let at = 0; at < first.values.length; at++) {
    const votes = new Map<unknown, number>()
    for (const [member, { values }] of inputs.entries()) {
      const choice = values[at]
      votes.set(choice, (votes.get(choice) ?? 0) + (shares[member] ?? 0))
    }
    let [winner, most]: [unknown, number] = [undefined, -1]
    for (const [choice, count] of votes)
      if (count > most + 1e-9)
        [winner, most] = [choice, count]
        // Of the inputs' datatype, which the unions cannot show to the compiler.
    ;(values as unknown[])[at] = winner
  }
  return [{ name: output, datatype: first.datatype, shape: first.shape, values }]
}

function alike(inputs: readonly NamedTensor[]): void {
  const [first, ...others] = inputs
  for (const { name, shape } of others) {
    if (shape.join() === first?.shape.join()) continue
    throw new StageMismatch(`"${name}" has shape [${shape}], "${first?.name}" [${first?.shape}]`)
  }
}

function sharesOf(weights: readonly number[] | undefined, count: number): number[] {
  const all = weights ?? new Array<number>(count).fill(1)
  const total = all.reduce((sum, weight) => sum + weight, 0)
  return all.map((weight) => weight / total)
}
