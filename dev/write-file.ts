import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Replaces a file that only its owner may read, whole or not at all. */
export function writePrivate(path: string, text: string): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, text, { mode: 0o600 })
  renameSync(draft, path)
}

/** Makes a file that only its owner may read, unless there is one: of two processes one wins and both see its file. */
export function createPrivate(path: string, text: string): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, text, { mode: 0o600 })
  try {
    linkSync(draft, path)
  } catch (error) {
    const there = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!there) throw error
  } finally {
    rmSync(draft)
  }
}
