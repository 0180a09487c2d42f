import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { descendants } from '@oriel/dev/process-table'
import { isTerminal, RequestEvent } from '@oriel/protocol/event'
import { MAX_QUEUED } from '@oriel/protocol/streams'
import { ALL_LIVE, requestOf } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Client } from '../support/client.ts'
import { typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

// More comes than can be done: jobs without a node, readers that do not read, facts without a database. What does not
// fit is refused or waits on disk; no process grows with it.

const stack = useStack({ models: ['wide'] })
const SUBMITS = 1.3 * MAX_QUEUED
const AT_ONCE = 32
const wide = (numbers: number) => ({ input: { x: Array.from({ length: numbers }, (_, index) => index + 0.25) } })
/** About 24 kB of JSON. */
const flood = wide(3_000)
/** An answer of about 1 MB; all that is asked for by those who do not read has 400 MB. */
const large = wide(110_000)
const READERS = 40
const ASKED = 10

const PARTS = ['edge', 'node-1', 'recorder', 'nats'] as const
/**
 * Megabytes. An edge holds each request that is open: a full queue of 1,000 costs about 0.6 MB apiece, its actor and
 * that actor's database. What the others hold does not depend on how much waits.
 */
const LIMITS = { edge: 1_400, 'node-1': 500, host: 400, recorder: 500, nats: 500 } as const
/** What those that are refused when the queue is full may add to the edge: their actors leave it after some seconds. */
const REFUSED_MB = 150

/** Megabytes of memory of a process, 0 when it is not there. */
function rssMb(pid: number | undefined): number {
  if (pid === undefined) return 0
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** The most that each part's processes have had, sampled. */
class Memory {
  readonly most = new Map<string, number>()
  readonly #timer = setInterval(() => this.#sample(), 100)

  #sample(): void {
    for (const name of PARTS) {
      const { pid } = stack.stack.part(name)
      this.#saw(name, rssMb(pid))
      if (name === 'node-1' && pid) for (const host of descendants(pid)) this.#saw('host', rssMb(host.pid))
    }
  }

  #saw(name: string, mb: number): void {
    this.most.set(name, Math.max(mb, this.most.get(name) ?? 0))
  }

  stop(): ReadonlyMap<string, number> {
    clearInterval(this.#timer)
    this.#sample()
    return this.most
  }
}

/** Asks for the same events again and again on one connection, and never reads a byte. */
async function deafReader(requestID: string, token: string): Promise<() => void> {
  const { hostname, port } = new URL(stack.url)
  const line = `GET /requests/${requestID}/events HTTP/1.1\r\nHost: oriel\r\nAuthorization: Bearer ${token}\r\n\r\n`
  const socket = await Bun.connect({ hostname, port: Number(port), socket: { data() {}, error() {} } })
  socket.pause()
  socket.write(line.repeat(ASKED))
  return () => socket.terminate()
}

/** Sends them all, a few at a time. @returns the ids of what was accepted, and how many were refused */
async function submitAll(client: Client): Promise<{ accepted: string[]; refused: number; grownMb: number }> {
  const accepted: string[] = []
  let refused = 0
  let fullMb = 0
  const edgeMb = () => rssMb(stack.stack.part('edge').pid)
  let left = SUBMITS
  const sender = async () => {
    while (left-- > 0) {
      const response = await client.post('wide', flood)
      const body = (await response.json()) as { requestID: string; type?: string }
      if (response.status === 202) accepted.push(body.requestID)
      else {
        if (refused++ === 0) fullMb = edgeMb()
        expect([response.status, body.type]).toEqual([503, 'urn:oriel:problem:queue-full'])
        expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, sender))
  return { accepted, refused, grownMb: edgeMb() - fullMb }
}

test('under far more than it can do, memory stays bounded, what was accepted ends, and the rest is refused', async () => {
  const alice = await stack.client('alice')
  const nc = await stack.stack.nats('admin')
  const open = new Set<string>()
  const ended = new Set<string>()
  let heard = () => {}
  nc.subscribe(ALL_LIVE, {
    callback: (_, msg) => {
      if (!isTerminal(v.parse(RequestEvent, msg.json()))) return
      ended.add(requestOf(msg.subject))
      heard()
    },
  })
  await nc.flush()
  const { requestID } = await alice.submit('wide', large)
  expect(typesOf(await alice.follow(requestID)).at(-1)).toBe('completed')

  const memory = new Memory()
  const readers = await Promise.all(Array.from({ length: READERS }, () => deafReader(requestID, alice.token)))
  let last = ''
  await stack.without('postgres', async () => {
    await stack.stack.stopPart('node-1')
    const { accepted, refused, grownMb } = await submitAll(alice)
    expect(accepted.length).toBeGreaterThanOrEqual(MAX_QUEUED)
    expect(refused).toBeGreaterThan(100)
    expect(grownMb).toBeLessThan(REFUSED_MB)
    for (const id of accepted) open.add(id)
    last = accepted.at(-1) ?? ''
    await stack.stack.startPart('node-1')
    while ([...open].some((id) => !ended.has(id))) await new Promise<void>((go) => (heard = go))
  })
  for (const leave of readers) leave()
  await stack.recorded('alice', last)
  const { requestID: after } = await alice.submit('iris', { input: { features: [5.1, 3.5, 1.4, 0.2] } })
  expect(typesOf(await alice.follow(after)).at(-1)).toBe('completed')
  const most = memory.stop()
  for (const [name, limit] of Object.entries(LIMITS)) expect(most.get(name), name).toBeLessThan(limit)
  await nc.close()
}, 240_000)
