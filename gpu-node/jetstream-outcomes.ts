import { type JetStreamClient, jetstream } from '@nats-io/jetstream'
import type { Dead } from '@oriel/protocol/dead'
import { type Ended, endedMsgID } from '@oriel/protocol/fact'
import { deadSubject, endedSubject } from '@oriel/protocol/subjects'
import type { NatsLink } from './nats-link.ts'
import type { Outcomes } from './outcomes.ts'
import { persist } from './retry.ts'

export class JetStreamOutcomes implements Outcomes {
  readonly #link: NatsLink
  readonly #js: JetStreamClient

  constructor(link: NatsLink) {
    this.#link = link
    this.#js = jetstream(link.nc)
  }

  async ended(facts: readonly Ended[], signal: AbortSignal): Promise<void> {
    const publish = (fact: Ended) => this.#keep(endedSubject(fact.id), endedMsgID(fact), fact, signal)
    await Promise.all(facts.map(publish))
  }

  dead(model: string, id: string, key: string, entry: Dead, signal: AbortSignal): Promise<void> {
    return this.#keep(deadSubject(model, id), `dead.${id}.${key}`, entry, signal)
  }

  async #keep(subject: string, msgID: string, body: unknown, signal: AbortSignal): Promise<void> {
    await persist(this.#link, () => this.#js.publish(subject, JSON.stringify(body), { msgID }), signal)
  }
}
