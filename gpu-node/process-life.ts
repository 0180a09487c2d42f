import type { Logger } from './logger.ts'

/** What ends a node: SIGTERM and SIGINT, and its parent when it asked for that. A second one ends it at once. */
export function untilStopped(withParent: boolean, logger: Logger): Promise<string> {
  return new Promise((resolve) => {
    let stopping = false
    const stop = (why: string) => {
      if (stopping) {
        logger.warn('stopped at once', { why })
        process.exit(1)
      }
      stopping = true
      resolve(why)
    }
    process.on('SIGTERM', () => stop('SIGTERM'))
    process.on('SIGINT', () => stop('SIGINT'))
    if (!withParent) return
    process.stdin.resume()
    process.stdin.once('end', () => stop('the parent is gone'))
  })
}
