import { watchLaunchers } from './launcher.ts'

/**
 * One Ctrl-C can come several times: from the terminal to the whole group, and again from a wrapper that passes
 * it on. A person's second one comes later.
 */
const ECHO_MS = 300

/** Resolves when the stop is over; its signal is aborted as soon as it begins. */
export type Stopped = Promise<void> & { readonly signal: AbortSignal }

/** Calls `stop` at the first SIGINT, SIGTERM or SIGHUP; at a second one `kill`, and leaves with 130. */
export function onSignals(stop: () => Promise<void>, kill: () => void): Stopped {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const begun = new AbortController()
  promise.catch(() => {})
  let firstAt: number | undefined
  const handle = () => {
    const now = performance.now()
    if (firstAt === undefined) {
      firstAt = now
      begun.abort()
      stop().then(resolve, reject)
    } else if (now - firstAt > ECHO_MS) {
      kill()
      process.exit(130)
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, handle)
  watchLaunchers(() => {
    if (firstAt === undefined) handle()
  })
  return Object.assign(promise, { signal: begun.signal })
}
