import { expect, test } from 'bun:test'
import { acceptedSubject, endedSubject } from '@oriel/protocol/subjects'
import fc from 'fast-check'
import type { Fact } from './parse-fact.ts'
import { type FactMessage, Recorder } from './recorder.ts'
import { accepted, ended, SENT_AT } from './testing/facts.ts'

class Message implements FactMessage {
  settled = 'no'
  readonly seq = 1
  readonly subject: string
  readonly data: Uint8Array

  constructor(subject: string, body: unknown) {
    this.subject = subject
    this.data = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
  }
  ack() {
    this.settled = 'acknowledged'
  }
  nak() {
    this.settled = 'handed back'
  }
  term() {
    this.settled = 'set apart'
  }
}

const message = (fact = accepted()) => new Message(acceptedSubject(fact.id), fact)
const never = new AbortController().signal

function recorderOf(
  insert: (facts: readonly Fact[]) => Promise<void>,
  refuses: (error: unknown) => boolean = () => false,
) {
  const waits: number[] = []
  const wait = async (ms: number) => {
    waits.push(ms)
  }
  const options = { store: { insert, refuses }, log: () => {}, now: () => SENT_AT, random: () => 1, wait }
  return { recorder: new Recorder(options), waits }
}

test('a batch is one insert, and is acknowledged after it and not before', async () => {
  const accept = accepted()
  const [outcome] = ended(accept.id)
  const batch = [message(accept), new Message(endedSubject(accept.id), outcome)]
  const seen: string[] = []
  const { recorder } = recorderOf(async (facts) => {
    seen.push(...facts.map(({ kind }) => kind), ...batch.map(({ settled }) => settled))
  })
  await recorder.record(batch, never)
  expect(seen).toEqual(['accepted', 'ended', 'no', 'no'])
  expect(batch.map(({ settled }) => settled)).toEqual(['acknowledged', 'acknowledged'])
})

test('what is not a fact is set apart, and the rest is recorded', async () => {
  const good = accepted()
  const other = accepted()
  const bad = [
    new Message(acceptedSubject(good.id), 'not JSON'),
    new Message(acceptedSubject(good.id), new Array(200_000).fill('[').join('')),
    new Message(acceptedSubject(good.id), { ...good, deadlineAt: 'soon' }),
    new Message(acceptedSubject(other.id), good),
    new Message(endedSubject(good.id), good),
    new Message('history.unheard.of', good),
    message(accepted(SENT_AT, { id: crypto.randomUUID() })),
    message(accepted(SENT_AT + 30 * 24 * 60 * 60_000)),
  ]
  const recorded: Fact[] = []
  const { recorder } = recorderOf(async (facts) => {
    recorded.push(...facts)
  })
  const fine = message(good)
  await recorder.record([...bad, fine], never)
  expect(bad.map(({ settled }) => settled)).toEqual(bad.map(() => 'set apart'))
  expect(recorded).toEqual([{ kind: 'accepted', fact: good }])
  expect(fine.settled).toBe('acknowledged')
})

test('a fact that the store refuses is set apart, and it alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), async (refused) => {
      const batch = refused.map((no) => message(accepted(SENT_AT, { user: no ? 'refused' : 'ada' })))
      const stored = new Set<string>()
      const { recorder } = recorderOf(
        async (facts) => {
          if (facts.some(({ kind, fact }) => kind === 'accepted' && fact.user === 'refused')) throw new Error('refused')
          for (const { fact } of facts) stored.add(fact.id)
        },
        () => true,
      )
      await recorder.record(batch, never)
      expect(batch.map(({ settled }) => settled)).toEqual(refused.map((no) => (no ? 'set apart' : 'acknowledged')))
      expect(stored.size).toBe(refused.filter((no) => !no).length)
    }),
  )
})

test('while the store is away the batch is tried again, less and less often, and nothing is acknowledged', async () => {
  const batch = [message()]
  let tries = 0
  const { recorder, waits } = recorderOf(async () => {
    expect(batch[0]?.settled).toBe('no')
    tries += 1
    if (tries <= 9) throw new Error('connection refused')
  })
  await recorder.record(batch, never)
  expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000])
  expect(batch[0]?.settled).toBe('acknowledged')
})

test('whoever is told to give up hands the batch back', async () => {
  const stop = new AbortController()
  const batch = [message(), message()]
  const { recorder } = recorderOf(async () => {
    stop.abort()
    throw new Error('connection refused')
  })
  await recorder.record(batch, stop.signal)
  expect(batch.map(({ settled }) => settled)).toEqual(['handed back', 'handed back'])
})
