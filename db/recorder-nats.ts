import { jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { HISTORY, RECORDER } from '@oriel/protocol/subjects'
import { batches } from './batches.ts'
import type { Log } from './log.ts'
import type { Recorder } from './recorder.ts'
import { wait } from './wait.ts'

const MAX_FACTS = 500
const MAX_BYTES = 8 * 1024 * 1024
const LINGER_MS = 50
/** Messages that wait in memory while a batch is committed. A fact may have a MB. */
const PREFETCH = 200
/** How soon a broker that lost our pull request is noticed: twice this. */
const IDLE_HEARTBEAT_MS = 2_000
const RETRY_MS = 1_000

/**
 * Records what comes on HISTORY until `stop` is aborted, then what has been received already.
 * @param giveUp the end of that grace: what is not committed by then comes again after the next start
 */
export async function recordHistory(
  nc: NatsConnection,
  recorder: Recorder,
  log: Log,
  stop: AbortSignal,
  giveUp: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    try {
      await consume(nc, recorder, stop, giveUp)
    } catch (error) {
      log('warn', 'the history cannot be read', { error: String(error) })
      await wait(RETRY_MS, stop)
    }
  }
}

async function consume(nc: NatsConnection, recorder: Recorder, stop: AbortSignal, giveUp: AbortSignal) {
  const consumer = await jetstream(nc).consumers.get(HISTORY, RECORDER)
  const messages = await consumer.consume({ max_messages: PREFETCH, idle_heartbeat: IDLE_HEARTBEAT_MS })
  const end = () => messages.stop()
  stop.addEventListener('abort', end)
  if (stop.aborted) end()
  try {
    const limits = { maxItems: MAX_FACTS, maxBytes: MAX_BYTES, lingerMs: LINGER_MS, wait }
    for await (const batch of batches(messages, { ...limits, bytesOf: (message) => message.data.length })) {
      await recorder.record(batch, giveUp)
    }
  } finally {
    stop.removeEventListener('abort', end)
    end()
  }
}
