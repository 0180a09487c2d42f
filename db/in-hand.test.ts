import { expect, test } from 'bun:test'
import { InHand } from './in-hand.ts'

const message = () => ({
  told: 0,
  working() {
    this.told += 1
  },
})

test('what has come is held at once, though nobody has asked for it yet, until it is settled', async () => {
  const messages = [message(), message(), message()]
  const hand = new InHand<(typeof messages)[number]>()
  const source = (async function* () {
    yield* messages
  })()
  const taken = hand.taken(source)
  const first = await taken.next()
  await Bun.sleep(0)
  expect(hand.size).toBe(3)
  hand.working()
  hand.settled([first.value])
  hand.working()
  expect(messages.map(({ told }) => told)).toEqual([1, 2, 2])
  hand.drop()
  hand.working()
  expect(messages.map(({ told }) => told)).toEqual([1, 2, 2])
})

test('a source that fails does so after all that came before', async () => {
  const messages = [message(), message()]
  const hand = new InHand<(typeof messages)[number]>()
  const source = (async function* () {
    yield* messages
    throw new Error('heartbeats missed')
  })()
  const seen: unknown[] = []
  const all = async () => {
    for await (const one of hand.taken(source)) seen.push(one)
  }
  expect(await all().catch(String)).toContain('heartbeats missed')
  expect(seen).toEqual(messages)
})
