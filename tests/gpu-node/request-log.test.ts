import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from '@nats-io/transport-node'
import { newRequestId } from '@oriel/protocol/ids'
import { systemClock } from '../../gpu-node/clock.ts'
import { JetStreamRequestLog } from '../../gpu-node/jetstream-request-log.ts'
import { LogAuthor } from '../../gpu-node/log-author.ts'
import { Interrupted, NatsLink } from '../../gpu-node/nats-link.ts'
import { requestLogSuite } from '../../gpu-node/request-log-suite.ts'
import { TestBroker } from './broker.ts'

type Loss = 'question' | 'answer'

/** A connection that breaks at command: before what was asked has reached the broker, or before the answer is back. */
class LossyLink extends NatsLink {
  readonly losses: (Loss | undefined)[] = []

  override async during<T>(ask: () => Promise<T>): Promise<T> {
    const loss = this.losses.shift()
    if (loss !== 'question') {
      const answer = await super.during(ask)
      if (loss === undefined) return answer
    }
    throw new Interrupted(`the ${loss} is lost`)
  }
}

describe('JetStream', () => {
  let broker: TestBroker
  let link: LossyLink

  beforeAll(async () => {
    broker = await TestBroker.start()
    const nc = await connect({ servers: broker.url, user: 'node', pass: 'node', inboxPrefix: '_INBOX_node' })
    link = new LossyLink(nc)
  })
  afterAll(async () => {
    await link.nc.close()
    await broker[Symbol.asyncDispose]()
  })

  requestLogSuite(async () => new JetStreamRequestLog(link))

  const progress = (n: number, elapsedMs = n) => ({ n, at: 1, type: 'progress', elapsedMs }) as const

  const LOSSES: Loss[][] = [
    ['answer'],
    ['question'],
    ['answer', 'answer'],
    ['question', 'answer', 'question'],
    ['question', 'question', 'answer', 'answer'],
  ]
  const PATTERNS = LOSSES.map((losses) => [losses.join(', '), losses] as const)

  test.each(PATTERNS)('an event is added once whatever is lost on the way: %s', async (_, pattern) => {
    const log = new JetStreamRequestLog(link)
    const id = newRequestId(Date.now())
    const first = Number(await log.append(0, id, progress(1), 0))
    link.losses.push(...pattern)
    const second = Number(await log.append(0, id, progress(2), first))
    expect(await log.append(0, id, progress(3), second)).toBeNumber()
    expect((await log.read(0, id)).events).toEqual([progress(1), progress(2), progress(3)])
  })

  test.each(PATTERNS)(
    'a rival’s event is never taken for ours, whatever is lost on the way: %s',
    async (_, pattern) => {
      const log = new JetStreamRequestLog(link)
      const id = newRequestId(Date.now())
      await log.append(0, id, progress(1, 99), 0)
      link.losses.push(...pattern)
      expect(await log.append(0, id, progress(1), 0)).toBe('fenced')
      expect((await log.read(0, id)).events).toEqual([progress(1, 99)])
    },
  )

  test.each(PATTERNS)('an author knows its own events again, whatever is lost on the way: %s', async (_, pattern) => {
    const log = new JetStreamRequestLog(link)
    const { signal } = new AbortController()
    const options = { log, shard: 0, id: newRequestId(Date.now()), clock: systemClock, signal }
    const author = await LogAuthor.read(options)
    link.losses.push(...pattern)
    expect(await author.append({ type: 'started', node: 'a', attempt: 1 })).toBeUndefined()
    link.losses.push(...pattern)
    expect(await author.append({ type: 'responses', response: 'Once', tokens: [1] })).toBeUndefined()
    expect((await log.read(0, options.id)).events.map(({ n, type }) => [n, type])).toEqual([
      [1, 'started'],
      [2, 'responses'],
    ])
  })

  test('an author that is fenced by another end sees that the request has ended, and is not gone', async () => {
    const log = new JetStreamRequestLog(link)
    const { signal } = new AbortController()
    const options = { log, shard: 0, id: newRequestId(Date.now()), clock: systemClock, signal }
    const [node, edge] = [await LogAuthor.read(options), () => LogAuthor.read(options)]
    await node.append({ type: 'started', node: 'a', attempt: 1 })
    await (await edge()).append({ type: 'cancelled' })
    expect(await node.append({ type: 'responses', response: 'Once' })).toEqual({ reason: 'ended' })
  })

  test('what is tried for ever is given up at command', async () => {
    const log = new JetStreamRequestLog(link)
    const giveUp = new AbortController()
    link.losses.push(...Array.from({ length: 1_000 }, () => 'question' as const))
    const append = log.append(0, newRequestId(Date.now()), progress(1), 0, giveUp.signal)
    giveUp.abort()
    await expect(append).rejects.toThrow('aborted')
    link.losses.length = 0
  })
})
