/** One server for a while, at so many connections. */
export interface Lap {
  readonly rival: string
  readonly graph: string
  readonly connections: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What the rounds say together of one server at so many connections. */
export interface Standing {
  readonly rival: string
  readonly graph: string
  readonly connections: number
  /** The medians of the rounds. */
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** The slowest and the fastest round. */
  readonly range: readonly [slowest: number, fastest: number]
  /** Requests/s beside those of the reference; null when that did not run. */
  readonly ratio: number | null
}

/** @param reference the server that the ratios are to */
export function standings(laps: readonly Lap[], reference: string): Standing[] {
  const groups = Map.groupBy(laps, keyOf)
  const fast = (key: string) => groups.get(key) && median(groups.get(key) ?? [], 'perSecond')
  return [...groups.values()].map((rounds) => {
    const [first] = rounds as [Lap, ...Lap[]]
    const perSecond = median(rounds, 'perSecond')
    const other = fast(keyOf({ ...first, rival: reference }))
    const rates = rounds.map((lap) => lap.perSecond)
    return {
      rival: first.rival,
      graph: first.graph,
      connections: first.connections,
      perSecond,
      p50Ms: median(rounds, 'p50Ms'),
      p99Ms: median(rounds, 'p99Ms'),
      range: [Math.min(...rates), Math.max(...rates)],
      ratio: other === undefined ? null : perSecond / other,
    }
  })
}

const keyOf = ({ rival, graph, connections }: Pick<Lap, 'rival' | 'graph' | 'connections'>) =>
  `${graph} ${connections} ${rival}`

function median(laps: readonly Lap[], of: 'perSecond' | 'p50Ms' | 'p99Ms'): number {
  const values = laps.map((lap) => lap[of]).sort((a, b) => a - b)
  return values[values.length >> 1] ?? Number.NaN
}

/** A column for each server; each row twice: requests/s and the ratio, and under it between what the rounds lay. */
export function standingsTable(all: readonly Standing[]): string {
  const rivals = [...new Set(all.map(({ rival }) => rival))]
  const rows = [...Map.groupBy(all, ({ graph, connections }) => `${graph}, ${connections}`)]
  const lines = rows.flatMap(([name, row]) => {
    const cell = (of: (standing: Standing) => string) =>
      rivals.map((rival) => {
        const standing = row.find((one) => one.rival === rival)
        return standing ? of(standing) : '–'
      })
    return [
      [name, ...cell(({ perSecond, ratio }) => `${whole(perSecond)}${ratio === null ? '' : ` ${ratio.toFixed(2)}×`}`)],
      ['', ...cell(({ range: [slowest, fastest] }) => `${whole(slowest)}–${whole(fastest)}`)],
    ]
  })
  const grid = [['', ...rivals], ...lines]
  const widths = rivals.map((_, index) => Math.max(...grid.map((row) => row[index + 1]?.length ?? 0)))
  const first = Math.max(...grid.map(([name = '']) => name.length))
  return grid
    .map(([name = '', ...cells]) =>
      [name.padEnd(first), ...cells.map((text, index) => text.padStart(widths[index] ?? 0))].join('  ').trimEnd(),
    )
    .join('\n')
}

const whole = (value: number) => Math.round(value).toLocaleString('en')
