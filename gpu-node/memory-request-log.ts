import { RequestEvent } from '@oriel/protocol/event'
import { progressSubject } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { LogRead, RequestLog } from './request-log.ts'

export class MemoryRequestLog implements RequestLog {
  epoch = 0
  #sequence = 0
  #logs = new Map<string, { events: string[]; sequence: number }>()

  async read(shard: number, id: string): Promise<LogRead> {
    const { events, sequence } = this.#log(shard, id)
    // By the same way as through a broker: what a schema does to an event must not matter to an author.
    return { events: events.map((stored) => v.parse(RequestEvent, JSON.parse(stored))), sequence }
  }

  async append(shard: number, id: string, event: RequestEvent, expected: number): Promise<number | 'fenced'> {
    const log = this.#log(shard, id)
    if (log.sequence !== expected) return 'fenced'
    log.events.push(JSON.stringify(event))
    log.sequence = ++this.#sequence
    return log.sequence
  }

  /** As a broker does whose disk is lost: it comes back with as many events of each log, and counts on from there. */
  loseState(left = 0): void {
    this.#sequence = 0
    for (const log of this.#logs.values()) {
      log.events.splice(left)
      this.#sequence += log.events.length
      log.sequence = log.events.length === 0 ? 0 : this.#sequence
    }
    this.epoch++
  }

  #log(shard: number, id: string) {
    const subject = progressSubject(shard, id)
    const log = this.#logs.get(subject) ?? { events: [], sequence: 0 }
    this.#logs.set(subject, log)
    return log
  }
}
