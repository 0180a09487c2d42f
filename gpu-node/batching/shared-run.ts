import { concatRows, type NamedTensor, sliceRows } from '@oriel/protocol/tensor'
import type { Batch } from '../model-hosts.ts'
import { answered, type Member } from './member.ts'

/** What its members ask, as one. */
export function together(members: readonly Member[]): Batch {
  const [first] = members
  if (!first || members.length === 1) return { inputs: first?.inputs ?? [], outputs: first?.outputs }
  const inputs = first.inputs.map((_, index) => concatRows(members.flatMap(({ inputs }) => inputs[index] ?? [])))
  return { inputs, outputs: first.outputs }
}

/** To each its own rows, in the order in which they were put together. */
export function deal(members: readonly Member[], outputs: readonly NamedTensor[]): void {
  const alone = members.length === 1 // its tensors may have no rows at all
  let at = 0
  for (const member of members) {
    const from = at
    at += member.rows
    const own = alone ? outputs : outputs.map((tensor) => sliceRows(tensor, from, from + member.rows))
    answered(member).resolve(own)
  }
}
