/** One figure. `limit` is what bounds it, measured in the same run; `ratio` is the two compared, above 1 is better than it. */
export interface Result {
  readonly name: string
  readonly unit: string
  readonly value: number
  readonly limit: number | null
  readonly ratio: number | null
}

/** A rate beside the rate that bounds it. */
export const rate = (name: string, unit: string, value: number, limit?: number): Result => ({
  name,
  unit,
  value,
  limit: limit ?? null,
  ratio: limit === undefined ? null : value / limit,
})

/** A time beside the time that it cannot be shorter than. */
export const time = (name: string, value: number, limit?: number): Result => ({
  name,
  unit: 'ms',
  value,
  limit: limit ?? null,
  ratio: limit === undefined ? null : limit / value,
})

/** @param part from 0 to 1 */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

export function table(results: readonly Result[]): string {
  const number = (value: number | null) =>
    value === null ? '' : value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
  const rows = results.map(({ name, unit, value, limit, ratio }) => [
    name,
    number(value),
    unit,
    number(limit),
    ratio === null ? '' : ratio.toFixed(2),
  ])
  const all = [['', 'value', 'unit', 'limit', 'ratio'], ...rows]
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (row: string[]) =>
    row
      .map((cell, column) =>
        column === 0 || column === 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return all.map(line).join('\n')
}
