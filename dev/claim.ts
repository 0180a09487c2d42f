import { tryLock } from './file-lock.ts'
import { endOrphans } from './orphans.ts'
import { readRun, removeRun } from './run-file.ts'
import { StackError } from './stack-error.ts'
import type { StateDir } from './state-dir.ts'

/**
 * Makes the state folder this process's own, and ends what an earlier one that was killed has left running.
 * @throws StackError naming the process that has it
 */
export async function claim(dir: StateDir, log: (line: string) => void): Promise<{ release(): void }> {
  dir.create()
  const lock = tryLock(dir.lock)
  const run = readRun(dir)
  if (!lock) {
    const who = run ? ` (process ${run.pid}${run.url === null ? '' : `, ${run.url}`})` : ''
    throw new StackError(
      `A stack is running in ${dir.path} already${who}.
Stop that one, or set ORIEL_STATE_DIR to another folder for a second one beside it.`,
    )
  }
  if (run) {
    const ended = await endOrphans(run)
    if (ended.length > 0) log(`ended what the last run left behind: ${ended.join(', ')}`)
    removeRun(dir)
  }
  return {
    release: () => {
      removeRun(dir)
      lock.release()
    },
  }
}
