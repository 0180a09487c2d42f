import { expect, test } from 'bun:test'
import { commandLine, descendants, processes, processRow } from './process-table.ts'

test('a child is found under its parent with its command line, and not any more once it is dead', async () => {
  const child = Bun.spawn(['sleep', '30'])
  expect(descendants(process.pid).map((row) => row.pid)).toContain(child.pid)
  expect(commandLine(child.pid)).toBe('sleep 30')
  const row = processRow(child.pid)
  expect(row?.parent).toBe(process.pid)
  expect(processes()).toContainEqual(row as NonNullable<typeof row>)
  child.kill('SIGKILL')
  await child.exited
  expect(processRow(child.pid)).toBeUndefined()
  expect(commandLine(child.pid)).toBe('')
})

test('the start tells two processes apart', async () => {
  const first = Bun.spawn(['sleep', '30'])
  await Bun.sleep(1_100) // the coarsest clock, that of `ps`, counts seconds
  const second = Bun.spawn(['sleep', '30'])
  expect(processRow(first.pid)?.start).not.toBe(processRow(second.pid)?.start)
  first.kill()
  second.kill()
  await Promise.all([first.exited, second.exited])
})
