import { expect, test } from 'bun:test'
import { type Fact, RecentFacts } from './recent-facts.ts'

const fact = (id: number, size = 1): Fact => ({
  subject: `history.accepted.${id}`,
  msgID: `${id}`,
  data: 'x'.repeat(size),
})

function setup() {
  const broker = new Set<string>()
  const world = { now: 0, away: false, waits: 0, told: 0 }
  const facts = new RecentFacts({
    async publish({ msgID }) {
      if (world.away) throw new Error('no stream')
      world.told += 1
      const duplicate = broker.has(msgID)
      broker.add(msgID)
      return { duplicate }
    },
    now: () => world.now,
    async wait() {
      world.waits += 1
      if (world.waits === 3) world.away = false
    },
  })
  return { broker, world, facts }
}

test('a broker that lost what it was told is told again, as soon as it can be', async () => {
  const { broker, world, facts } = setup()
  for (let id = 1; id <= 100; id += 1) await facts.tell(fact(id))
  broker.clear()
  world.away = true
  await facts.check()
  expect(world.waits).toBe(3)
  expect(broker.size).toBe(100)
})

test('a broker that was only away is asked about one', async () => {
  const { world, facts } = setup()
  for (let id = 1; id <= 100; id += 1) await facts.tell(fact(id))
  await facts.check()
  expect(world.told).toBe(101)
})

test('what is kept is bounded by time and by size', async () => {
  const { broker, world, facts } = setup()
  for (let id = 1; id <= 10; id += 1) await facts.tell(fact(id, 1024 * 1024))
  expect(facts.chars).toBeLessThanOrEqual(8 * 1024 * 1024)
  world.now = 5 * 60_000
  await facts.tell(fact(11))
  broker.clear()
  await facts.check()
  expect([...broker]).toEqual(['11'])
})

test('what could not be told is not kept: its caller knows, and tells it again', async () => {
  const { world, facts } = setup()
  world.away = true
  expect(facts.tell(fact(1))).rejects.toThrow('no stream')
  expect(facts.chars).toBe(0)
})

test('a check that a second reconnect cut short is not taken for done, though the last fact is there', async () => {
  const broker = new Set<string>()
  let away = false
  const stuck = Promise.withResolvers<void>()
  const facts = new RecentFacts({
    async publish({ msgID }) {
      if (away) throw new Error('no stream')
      const duplicate = broker.has(msgID)
      broker.add(msgID)
      return { duplicate }
    },
    now: () => 0,
    wait: () => stuck.promise,
  })
  for (let id = 1; id <= 10; id += 1) await facts.tell(fact(id))
  broker.clear()
  away = true
  const first = facts.check()
  await Promise.resolve()
  away = false
  await facts.tell(fact(11))
  const second = facts.check()
  stuck.resolve()
  await Promise.all([first, second])
  expect(broker.size).toBe(11)
})
