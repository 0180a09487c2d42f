import type { StageOf } from '@oriel/protocol/pipeline'
import type { NamedTensor } from '@oriel/protocol/tensor'
import type { LocalModel } from '../../model-runner.ts'
import { loadTokenizer } from '../text-tokenizer.ts'
import { truncation } from '../truncation.ts'
import { StageMismatch } from './stage-mismatch.ts'

/** @throws ProblemError model-unavailable, model-damaged */
export async function openTokenizer(
  model: LocalModel,
  { tokenizer: path, maxLength, padding, outputs }: StageOf<'tokenize'>,
): Promise<(text: NamedTensor) => readonly NamedTensor[]> {
  const tokenizer = await loadTokenizer(model, path)
  const cut = truncation(tokenizer, Math.min(tokenizer.maxLength, maxLength ?? Number.POSITIVE_INFINITY))

  return ({ name, datatype, shape: [rows = 0, ...more], values }) => {
    if (datatype !== 'BYTES' || more.length > 0) throw new StageMismatch(`"${name}" is not one text a row`)
    const tokens = (values as readonly string[]).map((text) => cut(tokenizer.encode(text)))
    const longest = Math.max(1, ...tokens.map((row) => row.length))
    const length = outputs.mask === undefined ? (maxLength ?? longest) : longest
    const ids = new BigInt64Array(rows * length).fill(BigInt(padding))
    const mask = new BigInt64Array(rows * length)
    for (const [row, each] of tokens.entries()) {
      for (const [at, token] of each.entries()) {
        ids[row * length + at] = BigInt(token)
        mask[row * length + at] = 1n
      }
    }
    const tensor = (name: string, values: BigInt64Array): NamedTensor => {
      return { name, datatype: 'INT64', shape: [rows, length], values }
    }
    return [tensor(outputs.ids, ids), ...(outputs.mask === undefined ? [] : [tensor(outputs.mask, mask)])]
  }
}
