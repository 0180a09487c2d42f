import type { KeyHolder } from '@oriel/db/api-keys'
import { isLimited } from '@oriel/protocol/limits'
import { ProblemError } from '@oriel/protocol/problem'
import { hashOfKey } from './api-key.ts'
import { Breather } from './breather.ts'
import { type Caller, scopesIn } from './caller.ts'

/** How long an isolate goes by what it knows of a key: a revoked one may work this much longer, and for the answer's time. */
export const FRESH_MS = 15_000
/** With the database away, keys that are known go on for this long. */
export const STALE_MS = 5 * 60_000
/** With the database away it is asked this often for each known key, and for all others; the rest wait for nothing. */
const ASK_AGAIN_MS = 2_000
const MAX_KNOWN = 10_000

interface Known {
  readonly holder: KeyHolder
  readonly checkedAt: number
  readonly askAt: number
}

/** The keys of programs, as one isolate knows them. */
export class KeyRing {
  readonly #load: (hash: string) => Promise<KeyHolder | undefined>
  readonly #now: () => number
  readonly #known = new Map<string, Known>()
  /** Apart from the others, which nobody can push out with made-up keys. */
  readonly #unknown = new Map<string, number>()
  readonly #strangers: Breather

  /** @param load who holds the key of a hash; throws ProblemError unavailable when that cannot be said */
  constructor(load: (hash: string) => Promise<KeyHolder | undefined>, now: () => number = Date.now) {
    this.#load = load
    this.#now = now
    this.#strangers = new Breather(ASK_AGAIN_MS, now)
  }

  /** @throws ProblemError unauthenticated, for a key that is no good; unavailable, when that cannot be said */
  async caller(key: string): Promise<Caller> {
    const hash = await hashOfKey(key)
    if (hash === undefined) throw unauthenticated('The API key was mistyped, or a part of it is missing.')
    const holder = await this.#holder(hash)
    if (!holder) throw unauthenticated('There is no such API key, or it was revoked.')
    if (holder.expiresAt !== undefined && holder.expiresAt <= this.#now()) {
      throw unauthenticated('The API key has expired.')
    }
    const { id, user, scopes, limits } = holder
    return { user, scopes: new Set(scopesIn(scopes.join(' '))), ...(isLimited(limits) && { key: { id, limits } }) }
  }

  /** The key of this hash was revoked: here that is known at once. */
  forget(hash: string): void {
    this.#known.delete(hash)
  }

  async #holder(hash: string): Promise<KeyHolder | undefined> {
    const now = this.#now()
    const known = this.#known.get(hash)
    if (known && now < known.askAt) return known.holder
    if (now < (this.#unknown.get(hash) ?? 0)) return undefined
    // One asks; who comes meanwhile goes by what is known, and neither waits nor asks too.
    const good = known && now - known.checkedAt < STALE_MS
    if (good) put(this.#known, hash, { ...known, askAt: now + ASK_AGAIN_MS })
    try {
      const load = () => this.#load(hash)
      const holder = good ? await load() : await this.#strangers.run(load, away)
      this.#known.delete(hash)
      if (holder) put(this.#known, hash, { holder, checkedAt: now, askAt: now + FRESH_MS })
      else put(this.#unknown, hash, now + FRESH_MS)
      return holder
    } catch (error) {
      // Whoever revoked it here meanwhile, or was told so, knows better than what was known before.
      if (!good || !this.#known.has(hash)) throw error
      console.warn('a key cannot be checked, and goes on as it was known', error)
      put(this.#known, hash, { ...known, askAt: this.#now() + ASK_AGAIN_MS })
      return known.holder
    }
  }
}

function put<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  const oldest = map.size >= MAX_KNOWN ? map.keys().next().value : undefined
  if (oldest !== undefined) map.delete(oldest)
  map.set(key, value)
}

const away = () => {
  const detail = 'API keys cannot be looked up now; try again.'
  return new ProblemError({ kind: 'unavailable', detail, retryAfterMs: ASK_AGAIN_MS })
}

const unauthenticated = (detail: string) => new ProblemError({ kind: 'unauthenticated', detail })
