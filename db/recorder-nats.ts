import { type Consumer, JetStreamError, type JsMsg, jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { RECORDER_ACK_WAIT_MS } from '@oriel/protocol/streams'
import { HISTORY, RECORDER } from '@oriel/protocol/subjects'
import { batches } from './batches.ts'
import { InHand } from './in-hand.ts'
import type { Log } from './log.ts'
import type { Recorder } from './recorder.ts'
import { wait } from './wait.ts'

const MAX_FACTS = 500
const MAX_BYTES = 8 * 1024 * 1024
const LINGER_MS = 50
/** Messages of one pull, which wait in memory while a batch is committed. A fact may have a MB. */
const PULL = 200
/** How long a pull waits for them, and so how long a signal may have to wait for it. */
const PULL_MS = 1_000
const RETRY_MS = 1_000
/** How often the broker is told what is still in hand: several times in its `RECORDER_ACK_WAIT_MS`. */
const WORKING_MS = RECORDER_ACK_WAIT_MS / 4

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
  const hand = new InHand<JsMsg>()
  const working = setInterval(() => hand.working(), WORKING_MS)
  const limits = { maxItems: MAX_FACTS, maxBytes: MAX_BYTES, lingerMs: LINGER_MS, wait }
  const messages = pulled(consumer, hand, stop)
  try {
    for await (const batch of batches(messages, { ...limits, bytesOf: (message) => message.data.length })) {
      await recorder.record(batch, giveUp)
      hand.settled(batch)
    }
  } finally {
    clearInterval(working)
    hand.drop()
  }
}

/**
 * One pull after the other, each to its end. The client's endless `consume` would drop, when it is stopped,
 * what is on its way; that would come again only when the broker has waited for its acknowledgement.
 */
async function* pulled(consumer: Consumer, hand: InHand<JsMsg>, stop: AbortSignal): AsyncGenerator<JsMsg> {
  while (!stop.aborted) {
    try {
      yield* hand.taken(await consumer.fetch({ max_messages: PULL, expires: PULL_MS }))
    } catch (error) {
      // Says so also of a pull that was complete when its messages had to wait for the database.
      if (!(error instanceof JetStreamError && error.message === 'heartbeats missed')) throw error
    }
  }
}
