import type { ServedModel } from '@oriel/oip/port'
import type { TensorSpec } from '@oriel/protocol/manifest'

/** One line of the table: a version that is open, or why one is not. */
export interface BannerRow {
  readonly name: string
  readonly version: string
  readonly model?: ServedModel
  /** In place of inputs and outputs. */
  readonly remark: string
}

const MAX_ROWS = 20

/** The models with their inputs and outputs, for a terminal. */
export function modelTable(rows: readonly BannerRow[]): string {
  const shown = rows.slice(0, MAX_ROWS)
  const cells = shown.map(({ name, version, model, remark }) => [
    name,
    version,
    model ? model.inputs.map((spec) => tensor(spec, model.maxBatch)).join(', ') : remark,
    model ? model.outputs.map((spec) => tensor(spec, model.maxBatch)).join(', ') : '',
  ])
  const head = ['model', 'version', 'inputs', 'outputs']
  const isLong = (row: readonly string[]) => row[3] === ''
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.filter((row) => column < 2 || !isLong(row)).map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()
  const more = rows.length - shown.length
  return [line(head), ...cells.map(line), ...(more > 0 ? [`  … and ${more} more`] : [])].join('\n')
}

/** As `features FP32[n,4]`: n rows at a time, ? any size. */
function tensor({ name, datatype, shape }: TensorSpec, maxBatch: number): string {
  const sizes = shape.map((size) => (size === -1 ? '?' : String(size)))
  return `${name} ${datatype}[${[...(maxBatch >= 1 ? ['n'] : []), ...sizes].join(',')}]`
}

export const LAYOUT = `A folder of models looks like this:

  models/
    my_model/
      1/
        model.onnx

The number is the version; the highest is served to requests that name none.`
