import { commandLine, processRow } from './process-table.ts'
import { isAlive } from './run-file.ts'

/** What stands between a person and this program when they say `npx bun run dev`. */
const LAUNCHER = /^(npm exec|npm run|npx |\S*node \S*(npx|npm)|(sh|\/bin\/sh|bash) -c |\S*bun(\.exe)? run )/

const WATCH_MS = 500

/**
 * Calls `gone` when one of the programs that started us through each other is gone. npx and the shell under it do
 * not pass every signal on: a SIGTERM to npx ends them and would leave us behind.
 */
export function watchLaunchers(gone: () => void): void {
  const chain = launchers()
  if (chain.length === 0) return
  const timer = setInterval(() => {
    if (chain.every(isAlive)) return
    clearInterval(timer)
    gone()
  }, WATCH_MS)
  timer.unref()
}

function launchers(): { pid: number; start: string }[] {
  const chain = []
  for (let row = processRow(process.ppid); row && LAUNCHER.test(commandLine(row.pid)); row = processRow(row.parent)) {
    chain.push({ pid: row.pid, start: row.start })
  }
  return chain
}
