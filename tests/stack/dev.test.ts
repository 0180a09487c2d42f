import { expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { commandLine } from '@oriel/dev/process-table'
import { Workplace } from './dev-process.ts'

const authorized = async (place: Workplace) => {
  const { out } = await place.run(['token', 'alice'])
  return { Authorization: `Bearer ${out.trim()}`, 'Content-Type': 'application/json' }
}

test('dev starts everything, SIGINT stops everything, and the next start finds what was there', async () => {
  await using place = new Workplace()
  const first = place.dev()
  const url = await first.ready()
  expect((await fetch(`${url}/readyz`)).status).toBe(200)

  const headers = await authorized(place)
  const body = JSON.stringify({ modelID: 'iris', request: { requestID: 'kept', input: { features: [5, 3, 1, 0.2] } } })
  expect((await fetch(`${url}/requests`, { method: 'POST', headers, body })).status).toBe(202)
  const settled = async (origin: string) => {
    for (;;) {
      const answer = await fetch(`${origin}/requests/kept`, { headers })
      const { status, responses } = (await answer.json()) as { status: string; responses: unknown[] }
      if (status === 'completed') return responses
      await Bun.sleep(50)
    }
  }
  const responses = await settled(url)

  const { url: told, parts } = await place.status()
  expect(told).toBe(url)
  const kinds = new Set(parts.map(({ kind }) => kind))
  expect(kinds).toEqual(new Set(['edge', 'host', 'nats', 'node', 'planner', 'postgres', 'recorder']))
  for (const { pid } of parts) expect(pid).toBeGreaterThan(0)
  for (const secret of ['secrets.json', 'nats-server.conf', 'run.json', 'edge/worker.env']) {
    expect(statSync(join(place.path, 'state', secret)).mode & 0o077).toBe(0)
  }

  first.look()
  expect(await first.end('SIGINT')).toBe(0)
  expect(await place.remains()).toEqual([])
  expect(await place.status()).toEqual({ url: null, parts: [] })

  const second = place.dev()
  expect(await settled(await second.ready())).toEqual(responses)
  expect(await second.end('SIGTERM')).toBe(0)
  expect(await place.remains()).toEqual([])
})

test('two stacks run side by side, but not two in one folder', async () => {
  await using one = new Workplace()
  await using other = new Workplace()
  const [first, second] = [one.dev(['--edge', 'workerd']), other.dev(['--nodes', '2'])]
  const urls = await Promise.all([first.ready(), second.ready()])
  expect(urls[0]).not.toBe(urls[1])
  const nodes = (await other.status()).parts.filter(({ kind }) => kind === 'node')
  expect(nodes.map(({ name }) => name)).toEqual(['node-1', 'node-2'])

  const third = await one.run(['dev'])
  expect(third.code).toBe(1)
  expect(third.err).toContain(`process ${first.pid}`)
  expect((await fetch(`${urls[0]}/readyz`)).status).toBe(200)
})

test('a second SIGINT ends what the first one is still waiting for', async () => {
  await using place = new Workplace()
  const dev = place.dev(['--edge', 'workerd'])
  await dev.ready()
  const { parts } = await place.status()
  // What cannot leave is waited for, by name: without the broker, that is first the node.
  const stuck = parts.find(({ kind }) => kind === 'nats')?.pid ?? 0
  process.kill(stuck, 'SIGSTOP')
  process.kill(dev.pid, 'SIGINT')
  await dev.line(/^stopping/)
  await dev.line(/^waiting for node-1, at most \d+ s/) // much sooner, a second one is taken for an echo of the first
  expect(await dev.end('SIGINT')).toBe(130)
  // The hosts of a node see that it is gone and follow it.
  while ((await place.remains()).length > 0) await Bun.sleep(20)
})

test('what a killed supervisor leaves behind goes with it', async () => {
  await using place = new Workplace()
  const dev = place.dev(['--edge', 'workerd'])
  await dev.ready()
  await dev.end('SIGKILL')
  while ((await place.remains()).length > 0) await Bun.sleep(50)
  expect((await place.run(['dev', 'status'])).code).toBe(1)
})

test('what is left all the same is ended by the next start', async () => {
  await using place = new Workplace()
  const first = place.dev()
  await first.ready()
  const before = (await place.status()).parts
  for (const pid of first.seen) if (commandLine(pid).includes('warden-main')) process.kill(pid, 'SIGKILL')
  await first.end('SIGKILL')

  const second = place.dev()
  expect(await second.line(/^ended what the last run left behind/)).toContain('postgres')
  await second.ready()
  const after = (await place.status()).parts.map(({ pid }) => pid)
  for (const { pid } of before) expect(after).not.toContain(pid)
  await second.end('SIGINT')
  expect(await place.remains()).toEqual([])
})

test('a stop in the middle of the start leaves nothing', async () => {
  await using place = new Workplace()
  const dev = place.dev()
  await dev.line(/starting/)
  await Bun.sleep(1_000) // somewhere in the middle; wherever it is, nothing may stay
  dev.look()
  expect(await dev.end('SIGINT')).toBe(0)
  expect(await place.remains()).toEqual([])
  // After it only the stop may speak: not the parts that it cut off, and not the start.
  expect(dev.lines.at(-1)).toBe('stopping …')
  expect(dev.lines.filter((line) => /^ready|^\s+at /.test(line))).toEqual([])
})

test('a port that is taken is named, with what to set', async () => {
  await using place = new Workplace()
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  const { code, err } = await place.run(['dev'], { ORIEL_PORT: port })
  server.close()
  expect(code).toBe(1)
  expect(err).toContain(`Port ${port} is taken`)
  expect(err).toContain('ORIEL_PORT')
})

test('settings that are wrong are named', async () => {
  await using place = new Workplace()
  const { code, err } = await place.run(['dev'], { ORIEL_PORT: 'http' })
  expect(code).toBe(1)
  expect(err).toContain('ORIEL_PORT')
})

test.each(['--edges', 'stats', '--nodes many', '--nodes 0', '--edge nginx'])(
  'dev %s is answered with the usage',
  async (args) => {
    await using place = new Workplace()
    const { code, err } = await place.run(['dev', ...args.split(' ')])
    expect(code).toBe(2)
    expect(err).toContain('bun run dev [options]')
  },
)

test('without a stack status says so', async () => {
  await using place = new Workplace()
  const { code, out } = await place.run(['dev', 'status'])
  expect(code).toBe(1)
  expect(out).toContain('No stack runs in')
  const nats = await place.run(['nats', 'stream', 'ls'])
  expect(nats.code).toBe(1)
  expect(nats.err).toContain('No stack runs in')
})
