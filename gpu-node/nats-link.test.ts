import { expect, test } from 'bun:test'
import type { NatsConnection } from '@nats-io/nats-core'
import { Interrupted, NatsLink } from './nats-link.ts'
import { persist } from './retry.ts'
import { settled } from './testing/manual-clock.ts'

/** A connection of which only its ups and downs matter. */
function setup() {
  const heard: { type: string }[] = []
  let wake = () => {}
  let closed = false
  async function* status() {
    while (!closed) {
      const next = heard.shift()
      if (next) yield next
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  const nc = { status, isClosed: () => closed } as unknown as NatsConnection
  const turn = async (type: string) => {
    heard.push({ type })
    closed = type === 'close'
    wake()
    await settled()
  }
  return { link: new NatsLink(nc), turn }
}

test('a question ends when the connection breaks, not when its time is up', async () => {
  const { link, turn } = setup()
  const asked = link.during(() => new Promise(() => {})).catch((error) => error)
  await turn('disconnect')
  expect(await asked).toBeInstanceOf(Interrupted)
})

test('while there is no connection nothing is asked', async () => {
  const { link, turn } = setup()
  await turn('disconnect')
  let asked = 0
  const answer = link.during(async () => ++asked)
  await expect(answer).rejects.toBeInstanceOf(Interrupted)
  expect(asked).toBe(0)
})

test('what may be asked twice is asked until it is answered', async () => {
  const { link, turn } = setup()
  let asked = 0
  const answer = persist(link, async () => {
    if (++asked < 3) throw new Interrupted('')
    return 'yes'
  })
  await turn('disconnect')
  await turn('reconnect')
  expect(await answer).toBe('yes')
})

test('what the broker refuses for good is not asked again', async () => {
  const { link } = setup()
  let asked = 0
  const answer = persist(link, async () => {
    asked++
    throw new TypeError('no')
  })
  await expect(answer).rejects.toThrow('no')
  expect(asked).toBe(1)
})

test('whoever waits for a connection is released by it, by giving up, and by its end', async () => {
  const { link, turn } = setup()
  await turn('disconnect')
  const giveUp = new AbortController()
  const abandoned = link.connected(giveUp.signal).catch((error) => error.name)
  const waiting = link.connected()
  giveUp.abort()
  expect(await abandoned).toBe('AbortError')
  await turn('reconnect')
  await waiting
  await turn('disconnect')
  const last = link.connected()
  await turn('close')
  await last
})

test('every reconnect is told until the listener is taken back', async () => {
  const { link, turn } = setup()
  let told = 0
  const off = link.onReconnect(() => told++)
  await turn('reconnect')
  await turn('reconnect')
  off()
  await turn('reconnect')
  expect(told).toBe(2)
})
