import { RequestEvent } from '@oriel/protocol/event'
import { progressSubject } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { LogRead, RequestLog } from './request-log.ts'

export class MemoryRequestLog implements RequestLog {
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

  #log(shard: number, id: string) {
    const subject = progressSubject(shard, id)
    const log = this.#logs.get(subject) ?? { events: [], sequence: 0 }
    this.#logs.set(subject, log)
    return log
  }
}
