import type { NatsConnection } from '@nats-io/nats-core'
import { CHECK_BEAT_MS, CheckAnswer } from '@oriel/protocol/check'
import type { Manifest } from '@oriel/protocol/manifest'
import { CHECK, checkedSubject } from '@oriel/protocol/subjects'
import * as v from 'valibot'

/** A node that has it says so every second: after this nobody has it (any more). */
const SILENCE_MS = 5 * CHECK_BEAT_MS

const Answer = v.pipe(v.string(), v.parseJson(), CheckAnswer)

/**
 * Asks any one node whether a version can be opened.
 * @returns `undefined` when no node answers to the end, or `stop` is aborted
 */
export function askCheck(nc: NatsConnection, manifest: Manifest, stop: AbortSignal): Promise<CheckAnswer | undefined> {
  const { promise, resolve } = Promise.withResolvers<CheckAnswer | undefined>()
  const nobody = () => resolve(undefined)
  let silence = setTimeout(nobody, SILENCE_MS)
  const sub = nc.subscribe(checkedSubject(manifest.name, manifest.version), {
    callback: (_, message) => {
      const answer = v.safeParse(Answer, message.string())
      if (!answer.success) return nobody()
      if (answer.output.kind !== 'working') return resolve(answer.output)
      clearTimeout(silence)
      silence = setTimeout(nobody, SILENCE_MS)
    },
  })
  stop.addEventListener('abort', nobody, { once: true })
  nc.publish(CHECK, JSON.stringify(manifest))
  return promise.finally(() => {
    clearTimeout(silence)
    stop.removeEventListener('abort', nobody)
    if (!nc.isClosed()) sub.unsubscribe()
  })
}
