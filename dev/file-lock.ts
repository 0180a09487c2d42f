import { Database } from 'bun:sqlite'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

export interface FileLock {
  release(): void
}

// A database that nobody refers to is closed by the garbage collector, and its lock with it.
const held = new Set<Database>()

/**
 * Takes `path` for this process alone; undefined when another has it. SQLite's lock is the operating system's: it
 * ends with the process however that dies, so that there is no stale lock to recognise.
 */
export function tryLock(path: string): FileLock | undefined {
  mkdirSync(dirname(path), { recursive: true })
  const database = new Database(path, { create: true })
  try {
    database.exec('PRAGMA busy_timeout = 0')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') return undefined
    throw error
  }
  held.add(database)
  return {
    release: () => {
      held.delete(database)
      database.close()
    },
  }
}

const POLL_MS = 200

/** Takes `path` as soon as it is free. @param onWait called once when another process has it */
export async function waitForLock(path: string, onWait: () => void): Promise<FileLock> {
  for (let waited = false; ; waited = true) {
    const lock = tryLock(path)
    if (lock) return lock
    if (!waited) onWait()
    await Bun.sleep(POLL_MS)
  }
}
