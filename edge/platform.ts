import type { RequestActorBase } from '@oriel/core-actors/actor'
import { shardsOf } from '@oriel/core-actors/relay'
import type { RelayPort } from '@oriel/core-actors/relay-port'
import type { UserPort } from '@oriel/core-actors/user-port'
import type { Aliases } from '@oriel/db/aliases'
import type { ApiKeys } from '@oriel/db/api-keys'
import type { History } from '@oriel/db/history'
import type { ModelRegistry } from '@oriel/db/model-registry'
import type { RecordedPredictions } from '@oriel/db/predictions'
import type { Uploads } from '@oriel/db/uploads'
import { type RequestId, shardOf } from '@oriel/protocol/ids'
import { ProblemError } from '@oriel/protocol/problem'
import { Allowances } from './allowances.ts'
import type { BlobStore } from './blobs/blob-store.ts'
import { blobStoreOf } from './blobs/blob-store-of.ts'
import { withAliases, withHistory, withKeys, withPredictions, withRegistry, withUploads } from './database.ts'
import type { Env } from './env.ts'
import { settingsOf } from './env.ts'
import { FullQueues } from './full-queues.ts'
import { guardedRelay } from './guarded-relay.ts'
import { Identity } from './identity.ts'
import { KeyRing } from './key-ring.ts'
import { ModelCache } from './model-cache.ts'

type ActorPort = Pick<RequestActorBase<Env>, 'submit' | 'events' | 'snapshot' | 'known' | 'cancel' | 'requeue'>

/** All that the routes need of the world: one for each isolate, built by `worker.ts` or by a test. */
export interface Platform {
  readonly identity: Identity
  readonly keyRing: KeyRing
  readonly models: ModelCache
  readonly fullQueues: FullQueues
  readonly allowances: Allowances
  readonly corsOrigins: readonly string[]
  /** Of a request or a prediction; without an id, the one that is asked what all know. A lost call is `unavailable`. */
  relay(id?: RequestId): RelayPort
  relays(): RelayPort[]
  /** Asks the actor of a user's request; once more if it was reset meanwhile, which every call of it allows. */
  actor<T>(user: string, requestID: string, ask: (actor: ActorPort) => Promise<T>): Promise<T>
  user<T>(user: string, ask: (actor: UserPort) => Promise<T>): Promise<T>
  history<T>(use: (history: History) => Promise<T>): Promise<T>
  predictions<T>(use: (predictions: RecordedPredictions) => Promise<T>): Promise<T>
  keys<T>(use: (keys: ApiKeys) => Promise<T>): Promise<T>
  registry<T>(use: (registry: ModelRegistry) => Promise<T>): Promise<T>
  aliases<T>(use: (aliases: Aliases) => Promise<T>): Promise<T>
  uploads<T>(use: (uploads: Uploads) => Promise<T>): Promise<T>
  /** The files of models. @throws ProblemError unavailable when there is no place for them */
  blobs(): BlobStore
  /** With it nodes fetch files here; empty: they fetch them elsewhere. */
  readonly nodeToken: string
}

export function platformOf(env: Env): Platform {
  const settings = settingsOf(env)
  const shards = shardsOf(env)
  const relayOf = (shard: number) => guardedRelay(env.RELAYS.get(env.RELAYS.idFromName(`relay-${shard}`)))
  const relay = (id?: RequestId) => relayOf(id === undefined ? 0 : shardOf(id, shards))
  const keyRing = new KeyRing((hash) => withKeys(env, (keys) => keys.use(hash)))
  return {
    identity: new Identity(settings, keyRing),
    keyRing,
    models: new ModelCache(relay),
    fullQueues: new FullQueues(),
    allowances: new Allowances((name) => env.USERS.get(env.USERS.idFromName(name))),
    corsOrigins: settings.CORS_ORIGINS.split(',').filter((origin) => origin !== ''),
    relay,
    relays: () => Array.from({ length: shards }, (_, shard) => relayOf(shard)),
    actor: (user, requestID, ask) => {
      // The id has no colon, so no two pairs share a name.
      const name = env.REQUESTS.idFromName(`${requestID}:${user}`)
      return twice(() => ask(env.REQUESTS.get(name)))
    },
    user: (user, ask) => twice(() => ask(env.USERS.get(env.USERS.idFromName(user)))),
    history: (use) => withHistory(env, use),
    predictions: (use) => withPredictions(env, use),
    keys: (use) => withKeys(env, use),
    registry: (use) => withRegistry(env, use),
    aliases: (use) => withAliases(env, use),
    uploads: (use) => withUploads(env, use),
    blobs: () => blobStoreOf(env),
    nodeToken: settings.NODE_TOKEN,
  }
}

async function twice<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    console.warn('an actor was lost and is asked again', error)
  }
  try {
    return await ask()
  } catch (cause) {
    const detail = 'The request could not be looked after just now; try again.'
    throw new ProblemError({ kind: 'unavailable', detail, retryAfterMs: 1_000 }, { cause })
  }
}
