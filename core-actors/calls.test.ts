import { expect, test } from 'bun:test'
import { Calls } from './calls.ts'

/** Questions that are answered when the test says so. */
function questions() {
  const asked: PromiseWithResolvers<number>[] = []
  const ask = () => {
    const question = Promise.withResolvers<number>()
    asked.push(question)
    return question.promise
  }
  return { asked, ask }
}

test('so many are under way at a time; the others come in turn, also past one that fails', async () => {
  const calls = new Calls(2)
  const { asked, ask } = questions()
  const all = Promise.allSettled(Array.from({ length: 5 }, () => calls.through(ask)))
  expect(asked.length).toBe(2)
  asked[1]?.reject(new Error('refused'))
  asked[0]?.resolve(0)
  while (asked.length < 4) await Promise.resolve()
  for (const index of [2, 3]) asked[index]?.resolve(index)
  while (asked.length < 5) await Promise.resolve()
  asked[4]?.resolve(4)
  expect((await all).map((one) => (one.status === 'fulfilled' ? one.value : 'refused'))).toEqual([
    0,
    'refused',
    2,
    3,
    4,
  ])
  expect(calls.size).toBe(0)
})

test('when the connection is lost nobody waits for an answer any more, and the next are asked at once', async () => {
  const calls = new Calls(2)
  const { asked, ask } = questions()
  const all = Promise.allSettled(Array.from({ length: 1_000 }, () => calls.through(ask)))
  calls.lost()
  expect(new Set((await all).map(({ status }) => status))).toEqual(new Set(['rejected']))
  expect(asked.length).toBe(2)
  const next = [calls.through(ask), calls.through(ask), calls.through(ask)]
  expect(asked.length).toBe(4)
  // What comes of the old ones later makes no room for others.
  asked[0]?.resolve(0)
  asked[1]?.reject(new Error('timeout'))
  await Bun.sleep(0)
  expect(asked.length).toBe(4)
  asked[2]?.resolve(2)
  asked[3]?.resolve(3)
  while (asked.length < 5) await Promise.resolve()
  asked[4]?.resolve(4)
  expect(await Promise.all(next)).toEqual([2, 3, 4])
})
