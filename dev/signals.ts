import { readFileSync } from 'node:fs'
import { watchLaunchers } from './launcher.ts'

/**
 * One Ctrl-C can come several times: from the terminal to the whole group, and again from a wrapper that passes
 * it on. A person's second one comes later.
 */
const ECHO_MS = 300

/** Resolves when the stop is over; its signal is aborted as soon as it begins. */
export type Stopped = Promise<void> & { readonly signal: AbortSignal }

/**
 * Calls `stop` at the first SIGINT, SIGTERM or SIGHUP, or when the npx that started us is gone; at a second signal
 * `kill`, and leaves with 130.
 * @param stop is told why, where that is not plain to see
 */
export function onSignals(stop: (why?: string) => Promise<void>, kill: () => void): Stopped {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const begun = new AbortController()
  promise.catch(() => {})
  let firstAt: number | undefined
  const handle = (why?: string) => {
    const now = performance.now()
    if (firstAt === undefined) {
      firstAt = now
      begun.abort()
      stop(why).then(resolve, reject)
    } else if (now - firstAt > ECHO_MS) {
      kill()
      process.exit(130)
    }
  }
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM']
  if (!ignoresHangup()) signals.push('SIGHUP')
  for (const signal of signals) process.on(signal, () => handle())
  watchLaunchers((launcher) => {
    if (firstAt === undefined) handle(`${launcher}, which started this, is gone`)
  })
  return Object.assign(promise, { signal: begun.signal })
}

/** Under nohup a terminal that closes is to end nothing. Where there is no /proc, nobody can tell. */
function ignoresHangup(): boolean {
  if (process.platform !== 'linux') return false
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${mask}`) & 1n) === 1n // the lowest bit is that of signal 1, SIGHUP
}
