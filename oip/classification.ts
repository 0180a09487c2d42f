import type { Datatype } from '@oriel/protocol/manifest'
import type { NamedTensor, TensorValues } from '@oriel/protocol/tensor'
import { refuse } from './message.ts'
import type { InferenceAnswer, ServedModel } from './port.ts'
import type { AnswerForm } from './request.ts'

/** The outputs of which classes were asked as Triton's classification extension has them: "<score>:<index>[:<label>]". */
export function classify(answer: InferenceAnswer, form: AnswerForm, model: ServedModel): InferenceAnswer {
  const outputs = answer.outputs.map((tensor) => {
    const classes = form.outputs?.find(({ name }) => name === tensor.name)?.classes
    return classes ? likeliest(tensor, classes, model) : tensor
  })
  return { ...answer, outputs }
}

function likeliest(tensor: NamedTensor, classes: number, { maxBatch, labels }: ServedModel): NamedTensor {
  const { name, values, datatype, shape } = tensor
  if (!ArrayBuffer.isView(values) || datatype === 'BOOL') {
    refuse(`Output ${JSON.stringify(name)} is ${datatype}, of which no classes can be told.`)
  }
  const rows = maxBatch >= 1 ? (shape[0] ?? 1) : 1
  const size = rows === 0 ? 0 : values.length / rows
  const texts: string[] = []
  for (let row = 0; row < rows; row++) {
    const scores = values.subarray(row * size, (row + 1) * size)
    for (const index of descending(scores).slice(0, classes)) {
      const label = labels?.[name]?.[index]
      texts.push(`${scoreText(scores[index] ?? 0, datatype)}:${index}${label === undefined ? '' : `:${label}`}`)
    }
  }
  const found = Math.min(classes, size)
  return { name, datatype: 'BYTES', shape: maxBatch >= 1 ? [rows, found] : [found], values: texts }
}

/** Indexes by falling score; the first of two that are alike comes first, and NaN last. */
function descending(scores: Exclude<TensorValues, readonly string[]>): number[] {
  const rank = (index: number): number | bigint => {
    const score = scores[index] ?? 0
    return Number.isNaN(score) ? -Infinity : score
  }
  const order = Array.from({ length: scores.length }, (_none, index) => index)
  return order.sort((a, b) => (rank(a) > rank(b) ? -1 : rank(a) < rank(b) ? 1 : a - b))
}

/** As C++ writes them in Triton. */
const scoreText = (score: number | bigint, datatype: Datatype): string =>
  typeof score === 'number' && datatype.startsWith('FP') ? score.toFixed(6) : String(score)
