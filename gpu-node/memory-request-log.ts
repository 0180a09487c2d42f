import type { RequestEvent } from '@oriel/protocol/event'
import { progressSubject } from '@oriel/protocol/subjects'
import type { LogRead, RequestLog } from './request-log.ts'

export class MemoryRequestLog implements RequestLog {
  #sequence = 0
  #logs = new Map<string, { events: RequestEvent[]; sequence: number }>()

  async read(shard: number, id: string): Promise<LogRead> {
    const { events, sequence } = this.#log(shard, id)
    return { events: structuredClone(events), sequence }
  }

  async append(shard: number, id: string, event: RequestEvent, expected: number): Promise<number | 'fenced'> {
    const log = this.#log(shard, id)
    if (log.sequence !== expected) return 'fenced'
    log.events.push(structuredClone(event))
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
