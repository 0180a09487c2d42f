import { jetstream } from '@nats-io/jetstream'
import type { Stack } from '@oriel/dev/stack'
import { newRequestId } from '@oriel/protocol/ids'
import { ALL_LIVE, progressSubject } from '@oriel/protocol/subjects'
import { epochMs } from './epoch.ts'

const event = (n: number) => JSON.stringify({ n, at: Date.now(), type: 'responses', response: { at: epochMs() } })

/** Fenced publishes a second over `width` logs, with nothing behind them: what bounds events. */
export async function fencedPerSecond(stack: Stack, width: number, forMs: number): Promise<number> {
  const nc = await stack.nats('admin')
  const client = jetstream(nc)
  const startedAt = performance.now()
  let count = 0
  const lane = async () => {
    const subject = progressSubject(0, newRequestId(Date.now()))
    let last = 0
    for (let n = 1; performance.now() - startedAt < forMs; n += 1) {
      const { seq } = await client.publish(subject, event(n), { expect: { lastSubjectSequence: last } })
      last = seq
      count += 1
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
  const seconds = (performance.now() - startedAt) / 1_000
  await nc.close()
  return count / seconds
}

/** From a fenced publish to a plain subscriber of the live subject, ms, at `width` logs of `perSecond` events. */
export async function liveTimes(stack: Stack, width: number, perSecond: number, forMs: number): Promise<number[]> {
  const [writer, reader] = await Promise.all([stack.nats('admin'), stack.nats('admin')])
  const client = jetstream(writer)
  const times: number[] = []
  reader.subscribe(ALL_LIVE, {
    callback: (_, message) => {
      times.push(epochMs() - Number(message.json<{ response: { at: number } }>().response.at))
    },
  })
  await reader.flush()
  const count = Math.round((perSecond * forMs) / 1_000)
  const lane = async (index: number) => {
    const subject = progressSubject(0, newRequestId(Date.now()))
    const startedAt = performance.now() + (index / width) * (1_000 / perSecond)
    let last = 0
    for (let n = 1; n <= count; n += 1) {
      const waitMs = startedAt + ((n - 1) * 1_000) / perSecond - performance.now()
      if (waitMs > 0) await Bun.sleep(waitMs)
      const { seq } = await client.publish(subject, event(n), { expect: { lastSubjectSequence: last } })
      last = seq
    }
  }
  await Promise.all(Array.from({ length: width }, (_, index) => lane(index)))
  await Promise.all([writer.close(), reader.close()])
  return times
}
