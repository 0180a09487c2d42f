import { Kvm, type KvWatchEntry } from '@nats-io/kv'
import { KnownVersion } from '@oriel/protocol/known-version'
import type { Manifest } from '@oriel/protocol/manifest'
import { describeIssues } from '@oriel/protocol/problem'
import { MODELS, modelKey } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Logger } from '../logger.ts'
import type { NatsLink } from '../nats-link.ts'
import { pause } from '../retry.ts'

const WATCH_AGAIN_MS = 1_000

const Entry = v.pipe(v.string(), v.parseJson(), KnownVersion)

/**
 * The versions of the registry, as the bucket tells them. One is forgotten when the bucket says that it is gone, and not
 * because a broker that lost its state does not know it any more: it soon will.
 */
export class RegisteredVersions {
  readonly #known = new Map<string, Manifest>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  find(name: string, version: string): Manifest | undefined {
    return this.#known.get(modelKey(name, version))
  }

  all(): IterableIterator<Manifest> {
    return this.#known.values()
  }

  /** Until `signal` is aborted. */
  async follow(link: NatsLink, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await link.connected(signal)
        const bucket = await new Kvm(link.nc).open(MODELS)
        const entries = await bucket.watch()
        const stop = () => entries.stop()
        // A broker that came back may have come back without our watch, or without its state.
        const offReconnect = link.onReconnect(stop)
        signal.addEventListener('abort', stop, { once: true })
        if (signal.aborted) stop() // while the watch was being opened: no event will tell
        try {
          for await (const entry of entries) this.#heard(entry)
        } finally {
          offReconnect()
          signal.removeEventListener('abort', stop)
          entries.stop()
        }
      } catch (cause) {
        if (!signal.aborted) this.#logger.warn('the registered versions cannot be watched', { cause })
      }
      await pause(WATCH_AGAIN_MS, signal).catch(() => {})
    }
  }

  #heard(entry: KvWatchEntry): void {
    if (entry.operation !== 'PUT') {
      this.#known.delete(entry.key)
      return
    }
    const parsed = v.safeParse(Entry, entry.string())
    if (!parsed.success) {
      this.#logger.error('a version cannot be read', { key: entry.key, detail: describeIssues(parsed.issues) })
      return
    }
    const { registered, deprecated: _, ...manifest } = parsed.output
    if (registered) this.#known.set(entry.key, manifest)
    else this.#known.delete(entry.key)
  }
}
