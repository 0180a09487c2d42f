import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tryLock } from './file-lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'oriel-lock-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('one holder at a time', () => {
  const path = join(folder, 'one', 'lock')
  const lock = tryLock(path)
  expect(lock).toBeDefined()
  expect(tryLock(path)).toBeUndefined()
  lock?.release()
  const next = tryLock(path)
  expect(next).toBeDefined()
  next?.release()
})

test('the lock of a killed process is free', async () => {
  const path = join(folder, 'two', 'lock')
  const script = `
    const { tryLock } = await import(${JSON.stringify(join(import.meta.dir, 'file-lock.ts'))})
    console.log(tryLock(${JSON.stringify(path)}) ? 'taken' : 'busy')
    Bun.gc(true) // the lock is held by the process, not by whoever keeps the object
    setInterval(() => {}, 1000)`
  const holder = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
  for await (const chunk of holder.stdout) {
    expect(new TextDecoder().decode(chunk)).toBe('taken\n')
    break
  }
  const meanwhile = tryLock(path)
  holder.kill('SIGKILL')
  await holder.exited
  expect(meanwhile).toBeUndefined()
  const lock = tryLock(path)
  expect(lock).toBeDefined()
  lock?.release()
})
