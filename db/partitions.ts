import { sentAtOf } from '@oriel/protocol/ids'

/** The tables that are partitioned by the request's id, and so by the time of sending. */
export const PARTITIONED = ['requests', 'responses', 'predictions'] as const

export const DAY_MS = 24 * 60 * 60_000

/**
 * A partition is a day, UTC. At the rates Oriel is drawn for, the index that is being written has to fit
 * memory, and a month's would not; and a day is a fair piece to move to cold storage and drop.
 */
export interface Partition {
  /** As in `requests_2026_01_31`. */
  readonly suffix: string
  /** The first id that belongs to it. */
  readonly from: string
  /** The first id that does not. */
  readonly to: string
}

/** The lowest UUID whose time is `ms` since the epoch: no id that was sent then or later sorts before it. */
export function firstIdOf(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}

/** @param ms any time of the day, since the epoch */
export function partitionOf(ms: number): Partition {
  const start = ms - (ms % DAY_MS)
  return {
    suffix: new Date(start).toISOString().slice(0, 10).replaceAll('-', '_'),
    from: firstIdOf(start),
    to: firstIdOf(start + DAY_MS),
  }
}

/** The partitions that ids sent from `fromMs` to `toMs`, both included, fall into, in order. */
export function partitionsFor(fromMs: number, toMs: number): Partition[] {
  const partitions: Partition[] = []
  for (let ms = fromMs - (fromMs % DAY_MS); ms <= toMs; ms += DAY_MS) partitions.push(partitionOf(ms))
  return partitions
}

/** The partitions that these ids fall into, each once. */
export function partitionsOf(ids: Iterable<string>): Partition[] {
  const days = new Set(Array.from(ids, (id) => Math.floor(sentAtOf(id) / DAY_MS)))
  return Array.from(days, (day) => partitionOf(day * DAY_MS))
}
