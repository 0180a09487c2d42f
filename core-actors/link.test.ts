import { expect, test } from 'bun:test'
import type { NatsConnection } from '@nats-io/nats-core'
import { Link } from './link.ts'

/** A link whose broker comes and goes as the test says, and the waits that it began. */
function setup() {
  const waits: { ms: number; over: () => void }[] = []
  const statuses: { type: string }[] = []
  let said = Promise.withResolvers<void>()
  const connected = Promise.withResolvers<NatsConnection>()
  const connection = {
    async *status() {
      for (;;) {
        await said.promise
        said = Promise.withResolvers()
        yield* statuses.splice(0)
      }
    },
    request: () => new Promise(() => {}),
  }
  let [dials, ups, givenUp] = [0, 0, 0]
  const link = new Link(
    () => {
      dials += 1
      return connected.promise
    },
    () => {
      ups += 1
    },
    () => {
      givenUp += 1
    },
    (ms) => new Promise<void>((over) => waits.push({ ms, over })),
  )
  const says = async (type: string) => {
    statuses.push({ type })
    said.resolve()
    await Bun.sleep(0)
  }
  const connect = () => connected.resolve(connection as unknown as NatsConnection)
  return { link, waits, says, connect, counts: () => ({ dials, ups, givenUp }) }
}

test('all calls share one wait for a broker that is away, and then fail at once', async () => {
  const { link, waits, counts } = setup()
  const calls = Promise.all(Array.from({ length: 1_000 }, () => link.connection()))
  expect(waits.map(({ ms }) => ms)).toEqual([5_000])
  waits[0]?.over()
  expect(new Set(await calls)).toEqual(new Set([undefined]))
  expect(await link.connection()).toBeUndefined()
  expect(waits.length).toBe(1)
  expect(counts()).toEqual({ dials: 1, ups: 0, givenUp: 1 })
})

test('a call that waits has the connection when it is there; each loss is waited for anew, by all together', async () => {
  const { link, waits, says, connect, counts } = setup()
  const first = link.connection()
  connect()
  expect(await first).toBeDefined()
  await says('disconnect')
  expect(link.now).toBeUndefined()
  const calls = Promise.all([link.connection(), link.connection()])
  expect(waits.length).toBe(2)
  await says('reconnect')
  expect((await calls).map((connection) => connection === link.now)).toEqual([true, true])
  expect(counts()).toEqual({ dials: 1, ups: 2, givenUp: 0 })
})

test('what was asked over a connection that is lost, or found half open, is not waited for', async () => {
  for (const loss of ['disconnect', 'staleConnection']) {
    const { link, says, connect } = setup()
    connect()
    const connection = await link.connection()
    const asked = connection?.request('who').catch(String)
    await says(loss)
    expect(await asked).toContain('lost')
  }
})

test('who has time waits for the broker however long it takes, without a timer', async () => {
  const { link, waits, says, connect } = setup()
  const back = link.back()
  waits[0]?.over()
  let isBack = false
  void back.then(() => {
    isBack = true
  })
  await Bun.sleep(0)
  expect(isBack).toBe(false)
  connect()
  await back
  await says('disconnect')
  const again = link.back()
  await says('reconnect')
  await again
  expect(waits.length).toBe(2)
})
