/** ms. Importing the runtime on a machine that is busy starting everything else. */
const START_MS = 60_000
/** ms. A host with nothing on its thread answers a ping at once, unless the machine is overloaded or it is frozen. */
const IDLE_MS = 10_000
/** ms. A host that lived this long did not die of its start. */
const STABLE_MS = 10_000
const FIRST_PAUSE_MS = 100
const LAST_PAUSE_MS = 10_000

/** How long a host may be silent. @param hangMs of the model whose work it is in the middle of, if any */
export function silenceLimit(ready: boolean, hangMs: number | undefined): number {
  if (!ready) return Math.max(START_MS, hangMs ?? 0)
  return hangMs ?? IDLE_MS
}

/**
 * How long to wait before the next process: not at all after the first death, then twice as long with each quick one.
 * @param quickDeaths in a row before this one
 */
export function respawnDelay(livedMs: number, quickDeaths: number): { delayMs: number; quickDeaths: number } {
  if (livedMs >= STABLE_MS) return { delayMs: 0, quickDeaths: 0 }
  const delayMs = quickDeaths === 0 ? 0 : Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (quickDeaths - 1))
  return { delayMs, quickDeaths: quickDeaths + 1 }
}
