import type { NatsConnection } from '@nats-io/nats-core'
import * as v from 'valibot'

/** Whoever has the order says so every second: after this nobody has it (any more). */
const SILENCE_MS = 5_000

export interface Asking<T extends { readonly kind: string }> {
  readonly subject: string
  readonly order: unknown
  /** Where nodes say what came of it. */
  readonly answers: string
  readonly schema: v.GenericSchema<unknown, T>
}

/**
 * Has a node do something that may take long: it says `working` until it has the answer.
 * @returns `undefined` when no node answers to the end, or `stop` is aborted
 */
export function askNode<T extends { readonly kind: string }>(
  nc: NatsConnection,
  { subject, order, answers, schema }: Asking<T>,
  stop: AbortSignal,
): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<T | undefined>()
  const nobody = () => resolve(undefined)
  let silence = setTimeout(nobody, SILENCE_MS)
  const sub = nc.subscribe(answers, {
    callback: (_, message) => {
      const answer = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), message.string())
      if (!answer.success) return nobody()
      if (answer.output.kind !== 'working') return resolve(answer.output)
      clearTimeout(silence)
      silence = setTimeout(nobody, SILENCE_MS)
    },
  })
  stop.addEventListener('abort', nobody, { once: true })
  if (stop.aborted) nobody()
  nc.publish(subject, JSON.stringify(order))
  return promise.finally(() => {
    clearTimeout(silence)
    stop.removeEventListener('abort', nobody)
    if (!nc.isClosed()) sub.unsubscribe()
  })
}
