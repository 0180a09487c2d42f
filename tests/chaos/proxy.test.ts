import { afterEach, beforeEach, expect, test } from 'bun:test'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { DELAY_MS, TcpProxy } from './proxy.ts'

/** Says back what it hears. */
let echo: Server
let proxy: TcpProxy
const peers = new Set<Socket>()

beforeEach(async () => {
  echo = createServer((socket) => {
    peers.add(socket)
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => void echo.listen(0, '127.0.0.1', resolve))
  const address = echo.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  proxy = await TcpProxy.listen()
  proxy.target = address.port
})

afterEach(async () => {
  await proxy.close()
  for (const peer of peers) peer.destroy()
  peers.clear()
  await new Promise((resolve) => echo.close(resolve))
})

class Caller {
  readonly socket = connect(proxy.port, '127.0.0.1')
  heard = ''
  readonly closed = new Promise<void>((resolve) => void this.socket.once('close', () => resolve()))
  #news: (() => void) | undefined

  constructor() {
    this.socket.on('error', () => {})
    this.socket.on('data', (bytes) => {
      this.heard += bytes
      this.#news?.()
    })
  }

  async hears(text: string): Promise<void> {
    while (!this.heard.includes(text)) {
      await new Promise<void>((resolve) => {
        this.#news = resolve
      })
    }
  }
}

test('what is said is passed on, both ways, also a lot of it', async () => {
  const caller = new Caller()
  const much = `${'x'.repeat(3_000_000)}end`
  caller.socket.write(much)
  await caller.hears('end')
  expect(caller.heard).toBe(much)
})

test('an end is passed on', async () => {
  const caller = new Caller()
  caller.socket.end('bye')
  await caller.closed
  expect(caller.heard).toBe('bye')
})

test('a server that closes closes its client', async () => {
  const caller = new Caller()
  caller.socket.write('hello')
  await caller.hears('hello')
  for (const peer of peers) peer.destroy()
  await caller.closed
})

test('delayed bytes come late, and in order when the delay is over before they are through', async () => {
  const caller = new Caller()
  caller.socket.write('a')
  await caller.hears('a')
  proxy.become('delay')
  const at = performance.now()
  caller.socket.write('b')
  await caller.hears('b')
  expect(performance.now() - at).toBeGreaterThanOrEqual(2 * DELAY_MS - 20)
  caller.socket.write('c')
  await Bun.sleep(DELAY_MS / 3)
  proxy.become('open')
  caller.socket.write('d')
  await caller.hears('d')
  expect(caller.heard).toBe('abcd')
})

test('a cut ends what is open and refuses what is new, until it is over', async () => {
  const before = new Caller()
  before.socket.write('hello')
  await before.hears('hello')
  proxy.become('cut')
  await before.closed
  const during = new Caller()
  await during.closed
  expect(during.heard).toBe('')
  proxy.become('open')
  const after = new Caller()
  after.socket.write('again')
  await after.hears('again')
})

test('in a hole connections stay open and hear nothing, also when it is over; new ones work then', async () => {
  const before = new Caller()
  before.socket.write('hello')
  await before.hears('hello')
  proxy.become('hole')
  const during = new Caller()
  during.socket.write('is anybody there?')
  before.socket.write('are you there?')
  while (proxy.connections < 2) await Bun.sleep(1)
  proxy.become('open')
  const after = new Caller()
  after.socket.write('again')
  await after.hears('again')
  expect(during.heard).toBe('')
  expect(before.heard).toBe('hello')
  expect(before.socket.readyState).toBe('open')
})
