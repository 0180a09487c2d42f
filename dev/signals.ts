import { watchLaunchers } from './launcher.ts'

/**
 * One Ctrl-C can come several times: from the terminal to the whole group, and again from a wrapper that passes
 * it on. A person's second one comes later.
 */
const ECHO_MS = 300

/** Calls `stop` at the first SIGINT, SIGTERM or SIGHUP, or when what started us is gone; at a second one `kill`, and leaves with 130. */
export function onSignals(stop: () => Promise<void>, kill: () => void): Promise<void> & { readonly begun: boolean } {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => {})
  let firstAt: number | undefined
  const handle = () => {
    const now = performance.now()
    if (firstAt === undefined) {
      firstAt = now
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
  return Object.defineProperty(promise, 'begun', { get: () => firstAt !== undefined }) as Promise<void> & {
    readonly begun: boolean
  }
}
