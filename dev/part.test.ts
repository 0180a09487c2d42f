import { afterAll, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PartSpec } from './part.ts'
import { Part } from './part.ts'
import { processRow } from './process-table.ts'
import { StackError } from './stack-error.ts'

const folder = mkdtempSync(join(tmpdir(), 'oriel-part-'))
afterAll(() => rmSync(folder, { recursive: true }))

let count = 0

function partOf(script: string, { restart = true, ...spec }: Partial<PartSpec> & { restart?: boolean } = {}) {
  const name = `part-${++count}`
  const said: string[] = []
  const failed = Promise.withResolvers<StackError>()
  const part = new Part(
    {
      name,
      kind: 'node',
      address: null,
      readyMs: 10_000,
      stop: { signal: 'SIGTERM', graceMs: 5_000 },
      command: () => ({ file: '/bin/sh', args: ['-c', script], env: { PATH: process.env.PATH, FOLDER: folder } }),
      isReady: () => true,
      ...spec,
    },
    {
      logFile: join(folder, `${name}.log`),
      restart,
      log: (line) => said.push(line),
      changed: () => {},
      failed: (error) => failed.resolve(error),
    },
  )
  return { part, said, failed: failed.promise }
}

test('a part that is killed comes back as another process, and is named', async () => {
  const { part, said } = partOf('exec sleep 60')
  await part.start()
  const first = part.kill('SIGKILL')
  while (part.pid === first || part.mode !== 'running') await Bun.sleep(10)
  expect(said[0]).toStartWith(`${part.spec.name} died of SIGKILL; starting it again`)
  await part.stop()
  expect(processRow(part.child?.pid ?? 0)).toBeUndefined()
})

test('a part that keeps dying is given up with its last words', async () => {
  const { part, failed } = partOf('echo the last words; exit 3', { isReady: () => false })
  const started = part.start()
  const error = await failed
  expect(error.message).toContain('ended with code 3')
  expect(error.message).toEndWith('the last words')
  await expect(started).rejects.toBe(error)
  expect(part.mode).toBe('failed')
}, 20_000)

test('what a person has to mend is not tried again', async () => {
  let tries = 0
  const { part, failed } = partOf('', {
    command: () => {
      tries++
      throw new StackError('nats-server is missing')
    },
  })
  part.start().catch(() => {})
  expect((await failed).message).toBe('nats-server is missing')
  expect(tries).toBe(1)
})

test('without restart a dead part stays dead until it is started', async () => {
  const { part, failed } = partOf('exec sleep 60', { restart: false })
  await part.start()
  part.kill('SIGKILL')
  await failed
  expect(part.pid).toBeUndefined()
  await part.start()
  expect(part.pid).toBeNumber()
  await part.stop()
})

test('what a part leaves behind in its group is ended with it', async () => {
  const file = join(folder, 'left-behind')
  const { part } = partOf('sleep 60 & echo $! > "$FOLDER/left-behind"; wait', { isReady: () => existsSync(file) })
  await part.start()
  while (readFileSync(file, 'utf8').trim() === '') await Bun.sleep(10)
  const left = Number(readFileSync(file, 'utf8'))
  expect(processRow(left)).toBeDefined()
  await part.stop()
  expect(processRow(left)).toBeUndefined()
})

test('a part that does not leave when asked is killed', async () => {
  const { part } = partOf('trap "" TERM; touch "$FOLDER/deaf"; while :; do sleep 0.1; done', {
    isReady: () => existsSync(join(folder, 'deaf')),
    stop: { signal: 'SIGTERM', graceMs: 200 },
  })
  await part.start()
  await part.stop()
  expect(part.pid).toBeUndefined()
})

test('a part can be stopped while it waits for its next start', async () => {
  const { part, said } = partOf('exit 1', { isReady: () => false })
  const started = part.start()
  while (said.length < 3) await Bun.sleep(10)
  await part.stop()
  await expect(started).rejects.toThrow('was stopped')
  expect(part.mode).toBe('stopped')
})

test('a part that lives but never does its work is given up when its time is over', async () => {
  const { part, failed } = partOf('echo compile error; exec sleep 60', { isReady: () => false, readyMs: 300 })
  part.start().catch(() => {})
  const error = await failed
  expect(error.message).toContain('was not ready after 0.3 s')
  expect(error.message).toEndWith('compile error')
  expect(part.pid).toBeUndefined()
})
