import { expect, test } from 'bun:test'
import { EndWatch } from './end-watch.ts'
import type { End, RequestState } from './request.ts'
import { openRequest } from './testing.ts'

const request = (id: string) => openRequest({ id })
const END: End = { status: 'completed', n: 3, at: 1 }

function setup() {
  const asked: { id: string; answer: (end: End | undefined) => void }[] = []
  const life = {
    state: { mode: 'open', request: request('one') } as RequestState,
    ends: [] as End[],
    end(end: End) {
      life.ends.push(end)
      if (life.state.mode === 'open') life.state = { mode: 'ended', request: life.state.request, end, recorded: false }
    },
  }
  const relay = {
    untilEnded: (id: string) => new Promise<End | undefined>((answer) => asked.push({ id, answer })),
  }
  const work: Promise<unknown>[] = []
  const watch = new EndWatch(
    life,
    () => relay,
    (promise) => work.push(promise),
  )
  return { asked, life, watch, work }
}

test('one question at a time, and its answer ends the request', async () => {
  const { asked, life, watch, work } = setup()
  watch.begin()
  watch.begin()
  expect(asked.map(({ id }) => id)).toEqual(['one'])
  asked[0]?.answer(END)
  await Promise.all(work)
  expect(life.ends).toEqual([END])
})

test('an answer for a request that was forgotten meanwhile does not end the one that is here now', async () => {
  const { asked, life, watch, work } = setup()
  watch.begin()
  life.state = { mode: 'open', request: request('two') }
  watch.begin()
  asked[0]?.answer(END)
  await work[0]
  expect(life.ends).toEqual([])
  expect(asked.map(({ id }) => id)).toEqual(['one', 'two'])
  asked[1]?.answer({ ...END, n: 9 })
  await work[1]
  expect(life.ends).toEqual([{ ...END, n: 9 }])
})
