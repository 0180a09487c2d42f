import { commandLine, processRow } from './process-table.ts'
import { isAlive } from './run-file.ts'

/** npx, and npm with a script of package.json: under either name, before and after it has given itself a title. */
const NPM = /^(npm (exec|run)\b|npx |\S*node \S*\/(npx|npm)\b)/

/** What may stand between npm and this program. */
const BELOW = /^((sh|\/bin\/sh|bash) -c |\S*bun(\.exe)? run )/

const WATCH_MS = 500

interface Launcher {
  readonly pid: number
  readonly start: string
  readonly words: string
}

/**
 * Calls `gone` when npx, or what it started to start us, is gone. It and the shell under it do not pass every signal
 * on: a SIGTERM to npx ends them and would leave us behind. Without npx nothing is watched: a shell that leaves is
 * no reason to stop.
 */
export function watchLaunchers(gone: (launcher: string) => void): void {
  const chain = npmChain(launchers())
  if (chain.length === 0) return
  const name = chain.at(-1)?.words.startsWith('npm run') ? 'npm' : 'npx'
  const timer = setInterval(() => {
    if (chain.every(isAlive)) return
    clearInterval(timer)
    gone(name)
  }, WATCH_MS)
  timer.unref()
}

/** Of the programs above us, nearest first, those up to npm. */
export function npmChain<T extends Pick<Launcher, 'words'>>(above: readonly T[]): T[] {
  return above.slice(0, above.findLastIndex(({ words }) => NPM.test(words)) + 1)
}

/** Nearest first. */
function launchers(): Launcher[] {
  const chain = []
  for (let row = processRow(process.ppid); row; row = processRow(row.parent)) {
    const words = commandLine(row.pid)
    if (!NPM.test(words) && !BELOW.test(words)) break
    chain.push({ pid: row.pid, start: row.start, words })
  }
  return chain
}
