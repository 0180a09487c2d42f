import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { FileLock } from './file-lock.ts'
import { waitForLock } from './file-lock.ts'

/** Binaries that we built or fetched. Not in the state folder nor the checkout: every clone on a machine shares it. */
export function cacheDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env.ORIEL_CACHE_DIR || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'oriel')
}

/** The path of `name` in the cache, if it is there. */
export function cached(name: string): string | undefined {
  const path = join(cacheDir(), name)
  return existsSync(path) ? path : undefined
}

/** Removes what turned out to be no good, so that `makeCached` makes it again. */
export const discard = (name: string) => rmSync(join(cacheDir(), name), { force: true, recursive: true })

/**
 * Makes `name` once, also when two processes ask for it together: the second waits and finds it.
 * @param make writes the binary to the path it is given, on the cache's own file system
 */
export async function makeCached(
  name: string,
  log: (line: string) => void,
  make: (path: string) => Promise<void>,
): Promise<string> {
  const lock: FileLock = await waitForLock(join(cacheDir(), `${name}.lock`), () =>
    log(`another process is getting ${name}; waiting for it`),
  )
  try {
    const path = join(cacheDir(), name)
    if (existsSync(path)) return path
    const draft = join(cacheDir(), `.${name}.${process.pid}`)
    try {
      await make(draft)
      chmodSync(draft, 0o755)
      renameSync(draft, path)
    } finally {
      rmSync(draft, { force: true, recursive: true })
    }
    return path
  } finally {
    lock.release()
  }
}

export const writeBinary = (path: string, bytes: Uint8Array) => {
  mkdirSync(cacheDir(), { recursive: true })
  writeFileSync(path, bytes)
}
