import { expect, test } from 'bun:test'
import type { RequestEvent } from '@oriel/protocol/event'
import { BrokerLogs } from './broker-logs.ts'
import type { RawPage } from './log-store.ts'

const id = '0196d2a0-0000-7000-8000-000000000000'
const problem = { kind: 'host-crashed', detail: '' } as const
const queued: RequestEvent = { n: 1, at: Date.now(), type: 'queued', position: 0 }
const failed: RequestEvent = { n: 2, at: Date.now(), type: 'failed', problem, retriable: false }

/** A log at the broker, whose writes wait until they are let through. */
class Log {
  events: RequestEvent[] = [queued, failed]
  readonly through = Promise.withResolvers<void>()
  readonly last = async () => this.#raw().at(-1)
  readonly read = async (_shard: number, _id: string, after: number): Promise<RawPage> => ({
    entries: this.#raw().slice(after),
    more: false,
  })
  readonly append = async (_shard: number, _id: string, event: RequestEvent) => {
    await this.through.promise
    this.events.push(event)
    return this.events.length
  }
  readonly purge = async () => {
    this.events = []
  }

  #raw() {
    return this.events.map((event, at) => ({
      sequence: at + 1,
      payload: new TextEncoder().encode(JSON.stringify(event)),
    }))
  }
}

const logsOf = (log: Log) =>
  new BrokerLogs(
    { now: undefined, back: async () => {} },
    () => 0,
    async () => log,
  )

test('only the last event of a log can be its end', async () => {
  const log = new Log()
  const logs = logsOf(log)
  expect((await logs.page(id, 0)).entries.map(({ terminal }) => terminal)).toEqual([false, true])
  log.events.push({ n: 3, at: 0, type: 'queued', position: 0 })
  expect((await logs.page(id, 0)).entries.map(({ terminal }) => terminal)).toEqual([false, false, false])
})

test('nobody reads an end in a log that is being made to go on', async () => {
  const log = new Log()
  const logs = logsOf(log)
  const requeued = logs.requeue(log, id, 4, { n: 2 })
  expect(logs.isRequeueing(id)).toBe(true)
  const read = Promise.all([logs.last(id), logs.page(id, 0)])
  log.through.resolve()
  expect(await requeued).toMatchObject({ kind: 'queued', event: { n: 3, position: 4 } })
  const [last, { entries }] = await read
  expect(last).toMatchObject({ n: 3, terminal: false })
  expect(entries.some(({ terminal }) => terminal)).toBe(false)
  expect(logs.isRequeueing(id)).toBe(false)
})

test('a log that could not be made to go on is read again', async () => {
  const log = new Log()
  const logs = logsOf(log)
  const requeued = logs.requeue(log, id, 4, { n: 2 })
  const read = logs.last(id)
  log.through.reject(new Error('away'))
  await expect(requeued).rejects.toThrow('away')
  expect(await read).toMatchObject({ n: 2, terminal: true })
})
