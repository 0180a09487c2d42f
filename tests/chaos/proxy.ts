import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Trouble } from './faults.ts'

const HOST = '127.0.0.1'

/*
 * What the proxy does with bytes:
 *
 *   open ──▶ delay  every byte comes `DELAY_MS` later, in order
 *        ──▶ cut    connections are reset, and new ones as soon as they come
 *        ──▶ hole   connections stay open and pass nothing; those that were in a hole stay dead when it is over
 */
export type ProxyMode = 'open' | Trouble

export const DELAY_MS = 300
const HOLE_KEPT_MS = 60_000

interface Pair {
  readonly client: Socket
  readonly server: Socket
  dead: boolean
}

/** A TCP proxy that can be told to misbehave. */
export class TcpProxy {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #mode: ProxyMode = 'open'
  #target = 0

  private constructor(server: Server) {
    this.#server = server
  }

  /** Listens on a port of its own; `target` says later where to pass on to. */
  static async listen(): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const proxy = new TcpProxy(server)
    server.on('connection', (client) => proxy.#accept(client))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: HOST, port: 0 }, resolve)
    })
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen')
    return address.port
  }

  get connections(): number {
    return this.#pairs.size
  }

  set target(port: number) {
    this.#target = port
  }

  get mode(): ProxyMode {
    return this.#mode
  }

  become(mode: ProxyMode): void {
    this.#mode = mode
    for (const pair of this.#pairs) this.#apply(pair)
  }

  async close(): Promise<void> {
    for (const { client, server } of this.#pairs) {
      client.destroy()
      server.destroy()
    }
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()))
  }

  #accept(client: Socket): void {
    client.on('error', () => {}) // the other side is told by `close`
    if (this.#mode === 'cut') return void client.resetAndDestroy()
    const server = connect({ host: HOST, port: this.#target, allowHalfOpen: true, noDelay: true })
    server.on('error', () => {})
    const pair: Pair = { client, server, dead: false }
    this.#pairs.add(pair)
    this.#pass(pair, client, server)
    this.#pass(pair, server, client)
    this.#apply(pair)
  }

  #apply(pair: Pair): void {
    if (this.#mode === 'hole') pair.dead = true
    if (this.#mode !== 'cut') return
    pair.client.resetAndDestroy()
    pair.server.resetAndDestroy()
  }

  #pass(pair: Pair, from: Socket, to: Socket): void {
    const line = new Line(() => (this.#mode === 'delay' ? DELAY_MS : 0))
    const unlessDead = (act: () => void) => line.push(() => pair.dead || to.destroyed || act())
    from.on('data', (bytes) =>
      unlessDead(() => {
        if (to.write(bytes)) return
        from.pause()
        to.once('drain', () => from.resume())
      }),
    )
    from.on('end', () => unlessDead(() => to.end()))
    from.on('close', () => {
      unlessDead(() => to.destroySoon())
      // Nobody hears of the end of a connection in a hole; in the end its other socket is given back all the same.
      if (pair.dead) setTimeout(() => to.destroy(), HOLE_KEPT_MS).unref()
      if (pair.client.destroyed && pair.server.destroyed) this.#pairs.delete(pair)
    })
  }
}

/** What is to be done, each after a delay and all in their order. */
class Line {
  readonly #delayMs: () => number
  readonly #waiting: { dueAt: number; act: () => void }[] = []

  constructor(delayMs: () => number) {
    this.#delayMs = delayMs
  }

  push(act: () => void): void {
    const dueAt = Math.max(performance.now() + this.#delayMs(), this.#waiting.at(-1)?.dueAt ?? 0)
    this.#waiting.push({ dueAt, act })
    if (this.#waiting.length === 1) this.#go()
  }

  #go(): void {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      const inMs = first.dueAt - performance.now()
      if (inMs > 0) return void setTimeout(() => this.#go(), Math.ceil(inMs))
      first.act()
      this.#waiting.shift()
    }
  }
}
