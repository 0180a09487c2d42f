import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The host's file descriptor of the recorder, after stdin, stdout and stderr. */
export const RECORDER_FD = 3

/**
 * Which piece of work a host is in the middle of, in a file of four bytes without a name. A host that is stuck in
 * native code cannot send, and what it sent last may still be in its own buffer when it dies; a written file stays.
 */
export function openRecorder(): { readonly fd: number; read(): number; close(): void } {
  const path = join(tmpdir(), `oriel-host-${crypto.randomUUID()}`)
  const fd = openSync(path, 'wx+', 0o600)
  unlinkSync(path)
  const bytes = new Uint32Array(1)
  return {
    fd,
    read: () => (readSync(fd, bytes, 0, 4, 0) === 4 ? (bytes[0] ?? 0) : 0),
    close: () => closeSync(fd),
  }
}

/** In the host, about 1 µs. */
export function markWork(fd: number): (work: number) => void {
  const bytes = new Uint32Array(1)
  return (work) => {
    bytes[0] = work
    writeSync(fd, bytes, 0, 4, 0)
  }
}
