import { endGroup } from './child.ts'

export interface ToolRun {
  readonly code: number
  /** What it said on its standard error. */
  readonly said: string
}

const running = new Set<number>()

/** Runs a program to its end, in a process group of its own. */
export async function runTool(
  command: readonly string[],
  { cwd, env = process.env }: { cwd?: string; env?: Readonly<Record<string, string | undefined>> } = {},
): Promise<ToolRun> {
  const child = Bun.spawn([...command], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...env },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    detached: true,
  })
  running.add(child.pid)
  try {
    const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
    return { code, said: said.trim() }
  } finally {
    running.delete(child.pid)
  }
}

/** Ends the programs that are still running, with all that they started: nobody waits for them any more. */
export async function endTools(): Promise<void> {
  await Promise.all([...running].map(endGroup))
}
