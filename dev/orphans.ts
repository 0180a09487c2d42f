import { endGroup } from './child.ts'
import type { ProcessRow } from './process-table.ts'
import { processes } from './process-table.ts'
import type { RunFile } from './run-file.ts'

type Leader = NonNullable<RunFile['parts'][number]['leader']>

/**
 * What is left of a process group that `leader` led: nothing once the leader's pid belongs to another process.
 * While any member is alive the system gives the group's number to nobody else, so a dead leader's group is ours.
 */
export function remainsOf(leader: Leader, table: readonly ProcessRow[]): ProcessRow[] {
  const now = table.find((row) => row.pid === leader.pid)
  if (now && now.start !== leader.start) return []
  return table.filter((row) => row.group === leader.pid)
}

const GRACE_MS = 5_000

/** Ends what a supervisor that was killed has left behind. @returns the names of the parts that still ran */
export async function endOrphans(run: RunFile): Promise<string[]> {
  const table = processes()
  const left = run.parts.filter(({ leader }) => leader && remainsOf(leader, table).length > 0)
  await Promise.all(
    left.map(async ({ kind, leader }) => {
      if (!leader) return
      // For PostgreSQL a fast shutdown; for the others the same as a Ctrl-C.
      const isLeft = () => remainsOf(leader, processes()).length > 0
      signal(kind === 'postgres' ? leader.pid : -leader.pid, 'SIGINT')
      const until = performance.now() + GRACE_MS
      while (isLeft() && performance.now() < until) await Bun.sleep(50)
      if (isLeft()) await endGroup(leader.pid)
    }),
  )
  return left.map(({ name }) => name)
}

function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
