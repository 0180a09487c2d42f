import { readFileSync } from 'node:fs'
import { processes } from '@oriel/dev/process-table'

/** In the environment of a rival and of all that it starts, also of what leaves its process group, as Ray's parts do. */
export const MARK = 'ORIEL_RIVAL_MARK'

/** Ends what carries the mark, until nothing does. Where there is no /proc, the process group has to do. */
export async function endMarked(mark: string): Promise<void> {
  if (process.platform !== 'linux') return
  for (let tries = 0; tries < 100; tries++) {
    const left = processes().filter(({ pid }) => environmentOf(pid).includes(`${MARK}=${mark}`))
    if (left.length === 0) return
    for (const { pid } of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
      }
    }
    await Bun.sleep(20)
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return [] // it is gone, or somebody else's
  }
}
