import { RequestActorBase } from '@oriel/core-actors/actor'
import { Relay, shardsOf } from '@oriel/core-actors/relay'
import type { OpenRequest } from '@oriel/core-actors/request'
import { UserActorBase } from '@oriel/core-actors/user-actor'
import { shardOf } from '@oriel/protocol/ids'
import { createApp } from './app.ts'
import type { Env } from './env.ts'
import { limitsOf, settingsOf } from './env.ts'
import type { Platform } from './platform.ts'
import { platformOf } from './platform.ts'
import { DeskRecord, RecordDesk } from './record-desk.ts'

// The composition root of the edge: the Worker, the actors behind it, and what each is given.

export { RecordDesk, Relay }

const recordOf = (env: Env) =>
  new DeskRecord(() => {
    const desk = Math.floor(Math.random() * shardsOf(env)) // any will do
    return env.DESKS.get(env.DESKS.idFromName(`desk-${desk}`))
  })

export class UserActor extends UserActorBase<Env> {
  protected readonly limits = limitsOf(settingsOf(this.env))
  protected readonly record = recordOf(this.env)
}

export class RequestActor extends RequestActorBase<Env> {
  protected readonly lateMs = settingsOf(this.env).RECORD_LATE_MS

  protected readonly record = recordOf(this.env)

  protected relayOf({ id }: OpenRequest) {
    return this.env.RELAYS.get(this.env.RELAYS.idFromName(`relay-${shardOf(id, shardsOf(this.env))}`))
  }

  protected userOf(name: string) {
    return this.env.USERS.get(this.env.USERS.idFromName(name))
  }
}

let platform: { env: Env; of: Platform } | undefined

const app = createApp((env) => {
  if (platform?.env !== env) platform = { env, of: platformOf(env) }
  return platform.of
})

export default { fetch: app.fetch } satisfies ExportedHandler<Env>
