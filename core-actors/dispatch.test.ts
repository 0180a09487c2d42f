import { expect, test } from 'bun:test'
import { Dispatch } from './dispatch.ts'
import { memoryKv } from './memory-kv.ts'
import type { Order, Outcome, Submitted } from './relay-port.ts'
import { openRequest } from './testing.ts'

const request = openRequest()
const problem = { kind: 'queue-full', detail: '' } as const

/** A relay that answers as it is told, or breaks; and what it was sent. */
class Relay {
  answer: Outcome<Submitted> | 'breaks' = { ok: true, certain: true }
  readonly sent: number[] = []
  accepted = 0
  readonly submit = async ({ job }: Order): Promise<Outcome<Submitted>> => {
    this.sent.push(job.dispatch)
    if (this.answer === 'breaks') throw new Error('reset')
    return this.answer
  }
  readonly accept = async (): Promise<Outcome<object>> => {
    this.accepted += 1
    return this.answer === 'breaks' ? { ok: false, problem } : { ok: true }
  }
}

function place(relay = new Relay(), kv = memoryKv()) {
  let doubts = 0
  const dispatch = () =>
    new Dispatch(
      kv,
      () => relay,
      () => {
        doubts += 1
      },
    )
  return { relay, dispatch, doubts: () => doubts }
}

test('what the broker confirmed is known to be there', async () => {
  const dispatch = place().dispatch()
  expect(await dispatch.send(request)).toBeUndefined()
  expect(dispatch).toMatchObject({ unsure: false, begun: true, renewed: false })
  expect(dispatch.sentAt).toBeDefined()
})

test('what was refused was not accepted, and nothing is unsure', async () => {
  const { relay, dispatch, doubts } = place()
  relay.answer = { ok: false, problem }
  const refused = dispatch()
  expect(await refused.send(request)).toEqual(problem)
  expect(refused).toMatchObject({ unsure: false, begun: false, sentAt: undefined })
  expect(doubts()).toBe(0)
})

test('a submit that broke or was not confirmed is doubted once, through resets, until the broker has it', async () => {
  const { relay, dispatch, doubts } = place()
  for (const answer of ['breaks', { ok: true, certain: false }] as const) {
    relay.answer = answer
    expect(await dispatch().send(request)).toBeUndefined()
    expect(dispatch()).toMatchObject({ unsure: true, begun: false, sentAt: undefined })
  }
  expect(doubts()).toBe(1)
  relay.answer = { ok: true, certain: true }
  await dispatch().send(request)
  expect(dispatch().unsure).toBe(false)
  expect(relay.sent).toEqual([1, 1, 1])
})

test('the fact alone can be sent again, until it is taken', async () => {
  const { relay, dispatch } = place()
  dispatch().doubt()
  relay.answer = 'breaks'
  await dispatch().accept(request)
  expect(dispatch().unsure).toBe(true)
  relay.answer = { ok: true, certain: true }
  await dispatch().accept(request)
  expect(dispatch().unsure).toBe(false)
  expect(relay).toMatchObject({ sent: [], accepted: 2 })
})

test('a renewed job is no repeat of any that is known of, also after a reset', async () => {
  const { relay, dispatch } = place()
  dispatch().renew()
  await dispatch().send(request)
  dispatch().renew(7)
  await dispatch().send(request)
  dispatch().renew(1)
  await dispatch().send(request)
  expect(relay.sent).toEqual([2, 8, 9])
  expect(dispatch().renewed).toBe(true)
})

test('a request that is forgotten leaves nothing to the next one', async () => {
  const { dispatch } = place()
  const used = dispatch()
  await used.send(request)
  used.renew()
  used.doubt()
  used.forget()
  expect(used).toMatchObject({ unsure: false, begun: false, renewed: false, sentAt: undefined })
})
