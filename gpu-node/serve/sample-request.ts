import type { ServedModel } from '@oriel/oip/port'
import type { TensorSpec } from '@oriel/protocol/manifest'

/** Beyond it the shell writes the values: a command line has an end. */
const MAX_VALUES = 32

/** A command that gets an answer from the model: one row of zeros, empty texts, or the beginning of a text. */
export function sampleCommand(url: string, model: ServedModel): string {
  const path = `${url}/v2/models/${model.name}`
  if (model.generates) return `curl ${path}/generate -d '{"text_input":"Once upon a time"}'`
  const inputs = model.inputs.map((spec) => sampleInput(spec, model.maxBatch >= 1))
  const total = inputs.reduce((sum, { count }) => sum + count, 0)
  if (total <= MAX_VALUES) {
    const written = inputs.map((input) => `${input.head}${Array(input.count).fill(input.zero).join()}]}`)
    return `curl ${path}/infer -d '{"inputs":[${written.join()}]}'`
  }
  const parts = inputs.map(
    ({ head, zero, count }, index) =>
      `printf %s '${index > 0 ? ',' : ''}${head}'; yes '${zero}' | head -n ${count} | paste -sd, -; printf %s ']}'`,
  )
  return `(printf %s '{"inputs":['; ${parts.join('; ')}; printf %s ']}') | curl ${path}/infer -d @-`
}

interface SampleInput {
  /** Up to the first value. */
  readonly head: string
  readonly zero: string
  readonly count: number
}

function sampleInput({ name, datatype, shape }: TensorSpec, batched: boolean): SampleInput {
  const sizes = [...(batched ? [1] : []), ...shape.map((size) => (size === -1 ? 1 : size))]
  const zero = datatype === 'BYTES' ? '""' : datatype === 'BOOL' ? 'false' : '0'
  // In a shell's single quotes, where a name may be anything.
  const quoted = JSON.stringify(name).replaceAll("'", "'\\''")
  const head = `{"name":${quoted},"datatype":"${datatype}","shape":[${sizes.join()}],"data":[`
  return { head, zero, count: sizes.reduce((product, size) => product * size, 1) }
}
