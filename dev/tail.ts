import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'

const BYTES = 16 * 1024

/** The last lines of a file that may be long; empty when there is none. */
export function tailOf(path: string, lines: number): string {
  if (!existsSync(path)) return ''
  const { size } = statSync(path)
  const bytes = Buffer.alloc(Math.min(size, BYTES))
  const file = openSync(path, 'r')
  try {
    readSync(file, bytes, 0, bytes.length, size - bytes.length)
  } finally {
    closeSync(file)
  }
  return bytes.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n')
}
