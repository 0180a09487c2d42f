import type { RequestEvent } from '@oriel/protocol/event'
import { MemoryRequestLog } from '../memory-request-log.ts'

/** A log in memory whose next appends wait until a test lets them through. */
export class GatedLog extends MemoryRequestLog {
  #gate: PromiseWithResolvers<void> | undefined

  shut(): void {
    this.#gate ??= Promise.withResolvers()
  }

  open(): void {
    this.#gate?.resolve()
    this.#gate = undefined
  }

  override async append(shard: number, id: string, event: RequestEvent, expected: number): Promise<number | 'fenced'> {
    await this.#gate?.promise
    return super.append(shard, id, event, expected)
  }
}
