import { expect, test } from 'bun:test'
import type { RelayPort } from '@oriel/core-actors/relay-port'
import { guardedRelay } from './guarded-relay.ts'

class Reset {
  readonly #nodes = 3

  async health() {
    return { broker: true, nodes: this.#nodes }
  }

  async models() {
    throw new Error('Durable Object reset because its code was updated.')
  }

  discard() {
    throw new Error('this stub is broken')
  }
}

const relay = guardedRelay(new Reset() as unknown as RelayPort)

test('a call that is lost is an outage, not a bug, and may be made again', async () => {
  const lost = { problem: { kind: 'unavailable', retryAfterMs: 1_000 } }
  await expect(relay.models()).rejects.toMatchObject(lost)
  await expect(relay.discard(1)).rejects.toMatchObject(lost)
})

test('what a relay answers is answered', async () => {
  expect(await relay.health()).toEqual({ broker: true, nodes: 3 })
})
