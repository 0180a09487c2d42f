import { JetStreamApiError } from '@nats-io/jetstream'
import type { KV } from '@nats-io/kv'
import { PLANNER } from '@oriel/protocol/subjects'
import type { LeaseStore } from './lease.ts'

/** Codes of the server's errors.json for a publish that expected another last sequence. */
const WRONG_LAST = [10071, 10164]

/** @returns what `write` gives; `undefined` when another was first */
export async function unlessOverwritten<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write()
  } catch (error) {
    if (error instanceof JetStreamApiError && WRONG_LAST.includes(error.code)) return undefined
    throw error
  }
}

/** The lease as an entry of a bucket whose entries end by themselves. */
export class KvLeaseStore implements LeaseStore {
  readonly #leases: KV

  constructor(leases: KV) {
    this.#leases = leases
  }

  take(holder: string): Promise<number | undefined> {
    return unlessOverwritten(() => this.#leases.create(PLANNER, JSON.stringify({ holder })))
  }

  renew(holder: string, revision: number): Promise<number | undefined> {
    return unlessOverwritten(() => this.#leases.update(PLANNER, JSON.stringify({ holder }), revision))
  }

  async release(revision: number): Promise<void> {
    await unlessOverwritten(() => this.#leases.delete(PLANNER, { previousSeq: revision }))
  }
}
