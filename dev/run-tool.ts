export interface ToolRun {
  readonly code: number
  /** What it said on its standard error. */
  readonly said: string
}

/** Runs a program to its end; should we leave before, it is killed with all that it started. */
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
  const abandon = () => process.kill(-child.pid, 'SIGKILL')
  process.once('exit', abandon)
  try {
    const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
    return { code, said: said.trim() }
  } finally {
    process.removeListener('exit', abandon)
  }
}
