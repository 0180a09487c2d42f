/** A model in memory, as far as room for another goes. */
export interface Evictable {
  readonly bytes: number
  /** Until then it is not thrown out for another: ms since the epoch; infinity: never. */
  readonly staysUntil: number
}

export type Eviction<M> =
  | { readonly victims: readonly M[] }
  /** There is no room now. @param at when there is if nobody uses them until then; `undefined`: not even then */
  | { readonly at: number | undefined }

/**
 * Whom to throw out for `needBytes`: those that were used longest ago, and none whose bytes are not needed.
 * @param idle what nobody uses now, the least recently used first
 */
export function chooseVictims<M extends Evictable>(idle: readonly M[], needBytes: number, now: number): Eviction<M> {
  const chosen: M[] = []
  let freed = 0
  for (const model of idle) {
    if (freed >= needBytes) break
    if (model.staysUntil > now) continue
    chosen.push(model)
    freed += model.bytes
  }
  if (freed < needBytes) return { at: roomAt(idle, needBytes, now) }
  // A large one may make small ones before it needless: of those, the ones that were used last are spared.
  const spared = new Set<M>()
  for (const model of chosen.toReversed()) {
    if (freed - model.bytes < needBytes) continue
    freed -= model.bytes
    spared.add(model)
  }
  return { victims: chosen.filter((model) => !spared.has(model)) }
}

function roomAt(idle: readonly Evictable[], needBytes: number, now: number): number | undefined {
  let freed = 0
  for (const { bytes, staysUntil } of idle.toSorted((a, b) => a.staysUntil - b.staysUntil)) {
    freed += bytes
    if (freed >= needBytes) return Number.isFinite(staysUntil) ? Math.max(now, staysUntil) : undefined
  }
  return undefined
}
