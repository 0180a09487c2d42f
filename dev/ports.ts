import { existsSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import * as v from 'valibot'
import type { StateDir } from './state-dir.ts'
import { writePrivate } from './write-file.ts'

const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))

/** Where the parts listen, always on 127.0.0.1. */
export const Ports = v.object({ nats: Port, websocket: Port, monitor: Port, postgres: Port, inspector: Port })
export type Ports = v.InferOutput<typeof Ports>

export const HOST = '127.0.0.1'

// Under the range that systems give outgoing connections (from 32768 on Linux): a port of ours must not be
// taken by a client's end of some connection while its part is restarted.
const FIRST = 20_000
const COUNT = 12_000

/** The ports of the last run while they are free, else others. */
export async function assignPorts(dir: StateDir): Promise<Ports> {
  const last = readPorts(dir)
  const taken = new Set<number>()
  const keep = async (port: number | undefined) => {
    const chosen = port !== undefined && (await isFree(port)) ? port : await freePort(taken)
    taken.add(chosen)
    return chosen
  }
  const ports: Ports = {
    nats: await keep(last?.nats),
    websocket: await keep(last?.websocket),
    monitor: await keep(last?.monitor),
    postgres: await keep(last?.postgres),
    inspector: await keep(last?.inspector),
  }
  writePrivate(dir.ports, `${JSON.stringify(ports)}\n`)
  return ports
}

export function readPorts(dir: StateDir): Ports | undefined {
  if (!existsSync(dir.ports)) return undefined
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Ports), readFileSync(dir.ports, 'utf8'))
  return parsed.success ? parsed.output : undefined // only remembered for convenience: others do as well
}

export async function freePort(except: ReadonlySet<number> = new Set()): Promise<number> {
  for (let tries = 0; tries < 1_000; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    if (!except.has(port) && (await isFree(port))) return port
  }
  throw new Error('no free port')
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
    socket.setTimeout(1_000, () => end(false))
  })
}
