import type { NatsConnection } from '@nats-io/nats-core'
import type { RequestEvent } from '@oriel/protocol/event'
import { isTerminal } from '@oriel/protocol/event'
import { failedBy } from '@oriel/protocol/failure'
import type { RequestId } from '@oriel/protocol/ids'
import type { Job } from '@oriel/protocol/job'
import type { Problem } from '@oriel/protocol/problem'
import { MAX_PAYLOAD_BYTES } from '@oriel/protocol/streams'
import type { Lane } from '@oriel/protocol/subjects'
import type { BrokerLogs } from './broker-logs.ts'
import type { Channels } from './channels.ts'
import { endRequest } from './end-request.ts'
import { acceptedFact } from './facts.ts'
import { sendJob } from './job-queue.ts'
import type { LiveCatalog } from './live-catalog.ts'
import { printEvent } from './log-entry.ts'
import { LogStore } from './log-store.ts'
import type { QueueDepth } from './queue-depth.ts'
import type { Fact } from './recent-facts.ts'
import type { Order, Outcome, Requeue, Submitted } from './relay-port.ts'
import type { Requeued } from './requeue-log.ts'

export interface SenderParts {
  readonly catalog: Pick<LiveCatalog, 'now'>
  readonly depth: QueueDepth
  readonly channels: Channels
  readonly logs: Pick<BrokerLogs, 'requeue'>
  readonly shardOf: (id: RequestId) => number
  /** From then on the relay hears what is written in the shard. */
  readonly listen: (connection: NatsConnection, shard: number) => void
  /** Resolves when the broker has the fact. */
  readonly tell: (fact: Fact) => Promise<void>
}

/** Sends jobs, each behind the event of its log that says where it stands in the queue. */
export class Sender {
  readonly #parts: SenderParts

  constructor(parts: SenderParts) {
    this.#parts = parts
  }

  async submit(connection: NatsConnection, { job, accepted }: Order): Promise<Outcome<Submitted>> {
    if (tooLarge(job) || tooLarge(accepted)) return { ok: false, problem: TOO_LARGE }
    const { partition, position, shard } = await this.#prepare(connection, job)
    try {
      const log = await this.#openLog(connection, job, shard, position)
      const refused = await sendJob(connection, this.#parts.depth, partition, { ...job, shard, ...(log && { log }) })
      if (refused) return { ok: false, problem: refused }
      await this.#parts.tell(acceptedFact(accepted))
      return { ok: true, certain: true }
    } catch (error) {
      console.warn('a submit was not confirmed; its actor will repeat it', error)
      return { ok: true, certain: false }
    }
  }

  async requeue(connection: NatsConnection, { job, failure }: Requeue): Promise<Outcome<{ requeued: Requeued }>> {
    const { depth, channels, logs, tell } = this.#parts
    const { partition, position, shard } = await this.#prepare(connection, job)
    const requeued = await logs.requeue(new LogStore(connection), job.id, position, failure)
    if (requeued.kind === 'incomplete') return { ok: true, requeued }
    // What a channel had heard last was the end, and it must not be told to anybody any more.
    const channel = channels.of(job.id, job)
    channel.resync(true)
    channel.arrived(printEvent(requeued.event))
    if (requeued.kind === 'standing' && isTerminal(requeued.event)) return { ok: true, requeued }
    const problem = await sendJob(connection, depth, partition, { ...job, shard })
    if (!problem) return { ok: true, requeued }
    await endRequest(connection, shard, job.id, failedBy(problem), { told: () => [], tell })
    return { ok: false, problem }
  }

  /** Where the job goes, and about how many are ahead of it there. */
  async #prepare(connection: NatsConnection, { id, model, lane }: { id: RequestId; model: string; lane: Lane }) {
    const { catalog, depth, shardOf, listen } = this.#parts
    const partition = catalog.now.partitionOf(model)
    await depth
      .refresh(connection, partition, lane, Date.now())
      .catch((error) => console.warn('the depth of a queue is not known', error))
    const shard = shardOf(id)
    listen(connection, shard)
    return { partition, position: depth.of(partition, lane), shard }
  }

  /**
   * Writes `queued` as the first event; of a log that the broker has lost, all that clients were told while they waited.
   * A log that is there already is the business of whoever wrote it.
   */
  async #openLog(
    connection: NatsConnection,
    { id, ...about }: Order['job'],
    shard: number,
    position: number,
  ): Promise<Job['log']> {
    const queued = { n: 1, at: Date.now(), type: 'queued', position } as const
    const channel = this.#parts.channels.of(id, about)
    const events: RequestEvent[] = channel.prelude.length > 0 ? [...channel.prelude] : [queued]
    const store = new LogStore(connection)
    let sequence = 0
    for (const event of events) {
      const appended = await store.append(shard, id, event, sequence)
      if (appended === 'fenced') return undefined
      sequence = appended
    }
    channel.begun(printEvent(events.at(-1) ?? queued))
    return { events, sequence }
  }
}

/** With room for the envelope that the relay and the client library add. */
const MAX_MESSAGE_BYTES = MAX_PAYLOAD_BYTES - 16 * 1024
const tooLarge = (message: object) => new TextEncoder().encode(JSON.stringify(message)).length > MAX_MESSAGE_BYTES
const TOO_LARGE: Problem = { kind: 'too-large', detail: 'The request is larger, as JSON, than the broker takes.' }
