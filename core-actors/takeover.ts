import { HEARTBEAT_MS } from '@oriel/protocol/node-status'
import { JOBS } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Channel } from './channel.ts'

// What the broker tells of a node's connection, and what becomes of the requests that it had:
//
//   connected ──the connection ends──▶ missed ──a heartbeat of the same process──▶ connected
//                                         └──the grace is over──▶ gone: its jobs are given back for it
//
// Giving back is safe when it is wrong. A node that lives on is fenced by the one that takes over, and stops. A job
// that is settled is no longer pending, and the broker ignores what is said of it (`processNak` in its consumer.go).
// But the broker goes by the job and not by its delivery, so only the last `started` of a request counts.

/** Of the broker's event, what matters here. `name`: a node gives its connection its own. */
const Disconnected = v.object({
  client: v.object({ name: v.optional(v.string(), '') }),
  reason: v.optional(v.string(), ''),
})

/** A node that lost its connection is back within a few ms, and beats within 250 ms then. */
const GRACE_MS = 500
/** The broker gave up a connection that had long been silent. Its node may be on another since, and is heard there. */
const STALE = 'Stale Connection'
const STALE_GRACE_MS = HEARTBEAT_MS + 1_000
/** Logs that are read at a time, of requests whose node this relay does not know. */
const READS = 16

/** Where a job is acknowledged; the broker may name a domain and an account first. */
const DELIVERY = new RegExp(`^\\$JS\\.ACK\\.([^.]+\\.[^.]+\\.)?${JOBS}\\.`)

/** A process of a node, as its last heartbeat told of it. */
export interface Beat {
  /** When the process started, by its own clock: tells it from another of the same name. */
  readonly startedAt: number
  /** When it was heard, by ours. */
  readonly heardAt: number
}

export interface TakeoverPort {
  openRequests(): Iterable<{ readonly id: string; readonly channel: Channel }>
  lastBeat(node: string): Beat | undefined
  /** Gives back the job that is acknowledged on this subject: another node may have it at once. */
  giveBack(delivery: string): void
  /** Its connection has ended: what it was asked over that is not answered any more. */
  left(node: string): void
  gone(node: string): void
  now(): number
  wait(ms: number): Promise<unknown>
}

/** Gives the requests of a node that has died to the others, long before the broker would. */
export class Takeover {
  readonly #port: TakeoverPort

  constructor(port: TakeoverPort) {
    this.#port = port
  }

  /**
   * @param event what the broker tells of a connection that has ended
   * @returns how many jobs were given back
   */
  async disconnected(event: unknown): Promise<number> {
    const parsed = v.safeParse(Disconnected, event)
    if (!parsed.success || parsed.output.client.name === '') return 0
    const { client, reason } = parsed.output
    this.#port.left(client.name)
    const at = this.#port.now()
    const before = this.#port.lastBeat(client.name)
    await this.#port.wait(reason === STALE ? STALE_GRACE_MS : GRACE_MS)
    const after = this.#port.lastBeat(client.name)
    if (isBack(at, before, after)) return 0
    this.#port.gone(client.name)
    return await this.#takeOver(client.name, before !== undefined || after !== undefined)
  }

  /** @param isNode no other program's end is worth reading logs */
  async #takeOver(node: string, isNode: boolean): Promise<number> {
    const unknown: Channel[] = []
    let givenBack = 0
    for (const { channel } of this.#port.openRequests()) {
      if (channel.runner.mode === 'unknown' && isNode) unknown.push(channel)
      else givenBack += this.#giveBack(node, channel)
    }
    for (let next = 0; next < unknown.length; next += READS) {
      const some = unknown.slice(next, next + READS)
      const found = await Promise.allSettled(some.map((channel) => channel.findRunner()))
      for (const { status } of found) if (status === 'rejected') console.warn('a log could not be read for a takeover')
      for (const channel of some) givenBack += this.#giveBack(node, channel)
    }
    return givenBack
  }

  #giveBack(node: string, channel: Channel): number {
    const { runner } = channel
    if (runner.mode !== 'node' || runner.node !== node || !runner.delivery) return 0
    if (!DELIVERY.test(runner.delivery)) return 0
    this.#port.giveBack(runner.delivery)
    channel.givenBack()
    return 1
  }
}

/** A new process of the same name has none of the old one's jobs. */
const isBack = (since: number, before: Beat | undefined, after: Beat | undefined): boolean =>
  after !== undefined && after.heardAt > since && (!before || after.startedAt === before.startedAt)
