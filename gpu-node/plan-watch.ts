import { Kvm } from '@nats-io/kv'
import { Placement } from '@oriel/protocol/placement'
import { describeIssues } from '@oriel/protocol/problem'
import { PLACEMENT, PLAN } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Logger } from './logger.ts'
import type { NatsLink } from './nats-link.ts'
import { pause } from './retry.ts'

const WATCH_AGAIN_MS = 1_000

/** Every plan that is put in force, the present one first, until `signal` is aborted. */
export async function* watchPlan(link: NatsLink, logger: Logger, signal: AbortSignal): AsyncGenerator<Placement> {
  while (!signal.aborted) {
    try {
      await link.connected(signal)
      const bucket = await new Kvm(link.nc).open(PLACEMENT)
      const entries = await bucket.watch({ key: PLAN, ignoreDeletes: true })
      const stop = () => entries.stop()
      // A broker that came back may have come back without our watch, or without its state.
      const offReconnect = link.onReconnect(stop)
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) stop() // while the watch was being opened: no event will tell
      try {
        for await (const entry of entries) {
          const parsed = v.safeParse(Placement, readJson(entry.value))
          if (parsed.success) yield parsed.output
          else logger.error('the plan cannot be read', { detail: describeIssues(parsed.issues) })
        }
      } finally {
        offReconnect()
        signal.removeEventListener('abort', stop)
        entries.stop()
      }
    } catch (cause) {
      if (!signal.aborted) logger.warn('the plan cannot be watched', { cause })
    }
    await pause(WATCH_AGAIN_MS, signal).catch(() => {})
  }
}

function readJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data))
  } catch {
    return undefined
  }
}
