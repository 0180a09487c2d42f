import type { SimResult } from './run.ts'

/** For people: a line for each way, beside what nothing could do better. */
export function report({ options, requests, nodeChanges, outcomes, bound, plans }: SimResult): string {
  const { models, nodes, hours, memory, partitions } = options
  const percent = (misses: number) => `${((misses / requests) * 100).toFixed(2)} %`
  const rows = [
    ['', 'balance', 'worst hour', 'moves', 'misses', 'read', 'times the bound'],
    ...outcomes.map(({ name, balance, moves, misses, bytes }) => [
      name,
      balance.mean.toFixed(2),
      balance.worst.toFixed(2),
      String(moves),
      percent(misses),
      `${(bytes / 1e12).toFixed(2)} TB`,
      (bytes / bound.bytes).toFixed(2),
    ]),
    ['bound', '1.00', '1.00', '', percent(bound.misses), `${(bound.bytes / 1e12).toFixed(2)} TB`, '1.00'],
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  )
  return [
    `${models} models, ${nodes} nodes of ${memory / 1e9} GB, ${partitions} partitions, ${hours} h: ${requests} requests, ${nodeChanges} nodes came or left, ${plans} plans`,
    '',
    ...lines,
    '',
    'balance: the busiest node over the mean of all, in the mean over the hours',
    'moves: models that got a node they did not have; misses: requests whose model had to be read from disk',
    'bound: PFOO-L (Berger et al. 2018): all memory as one, and everything known beforehand',
  ].join('\n')
}
