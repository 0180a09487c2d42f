import type { Log } from './log.ts'
import { wait } from './wait.ts'

const RETRY_MS = 5_000

/** Does `work` now and every `everyMs` until `stop` is aborted; sooner again when it failed. */
export async function repeat(
  name: string,
  everyMs: number,
  work: () => Promise<void>,
  log: Log,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    try {
      await work()
      await wait(everyMs, stop)
    } catch (error) {
      log('warn', `${name}: failed, trying again`, { error: String(error) })
      await wait(Math.min(RETRY_MS, everyMs), stop)
    }
  }
}
