import { expect, test } from 'bun:test'
import { memoryKv } from './memory-kv.ts'
import { UserNotes } from './user-notes.ts'
import type { Note, UserPort } from './user-port.ts'

const note: Note = { id: 'id', requestID: 'r', deadlineAt: 1, bytes: 10, key: { id: 'k', limits: { concurrent: 1 } } }

/** A user's actor that never answers, that breaks, or that is well; and what it was told. */
class Limiter {
  told: string[] = []
  answers: 'never' | 'breaks' | 'well' = 'well'
  readonly #answer = async (what: string): Promise<void> => {
    if (this.answers === 'never') await new Promise(() => {})
    if (this.answers === 'breaks') throw new Error('reset')
    this.told.push(what)
  }
  readonly port: UserPort = {
    admit: async ({ id }) => {
      await this.#answer(`admit ${id}`)
      return { ok: true, usage: [] }
    },
    note: ({ id, key }, open) => this.#answer(`note ${id} of ${key?.id} ${open ? 'open' : 'ended'}`),
    withdraw: ({ id }) => this.#answer(`withdraw ${id}`),
    ended: (id) => this.#answer(`ended ${id}`),
    forgotten: (id) => this.#answer(`forgotten ${id}`),
    recent: async () => ({ entries: [], more: false, behind: false, whole: false }),
    nothingElse: async () => {},
    lease: async () => ({ ok: true, requests: 1, bytes: 1 }),
  }
}

test('a limiter that hangs or breaks is no limit: nothing is answered, in time', async () => {
  const limiter = new Limiter()
  const notes = new UserNotes(
    memoryKv(),
    () => limiter.port,
    async () => {},
  )
  for (const answers of ['never', 'breaks'] as const) {
    limiter.answers = answers
    expect(await notes.admit('alice', note)).toBeUndefined()
  }
  limiter.answers = 'well'
  expect(await notes.admit('alice', note)).toEqual({ ok: true, usage: [] })
})

test('a request that was let through is noted as soon as the limiter is back, with where it stands then', async () => {
  const limiter = new Limiter()
  limiter.answers = 'breaks'
  let open = true
  const notes = new UserNotes(
    memoryKv(),
    () => limiter.port,
    async () => {
      limiter.answers = 'well'
      open = false
    },
  )
  notes.unasked(note)
  await notes.untilNoted('alice', () => open)
  expect(limiter.told).toEqual(['note id of k ended'])
  await notes.note('alice', false)
  expect(limiter.told).toEqual(['note id of k ended'])
})

test('a reset does not forget that a request was not noted; its end says it too', async () => {
  const limiter = new Limiter()
  const kv = memoryKv()
  new UserNotes(
    kv,
    () => limiter.port,
    async () => {},
  ).unasked(note)
  const later = () =>
    new UserNotes(
      kv,
      () => limiter.port,
      async () => {},
    )
  await later().ended('alice', 'id')
  expect(limiter.told).toEqual(['note id of k ended', 'ended id'])
  await later().ended('alice', 'id')
  expect(limiter.told).toEqual(['note id of k ended', 'ended id', 'ended id'])
})

test('an end that cannot be told holds nobody up', async () => {
  const limiter = new Limiter()
  limiter.answers = 'breaks'
  const notes = new UserNotes(
    memoryKv(),
    () => limiter.port,
    async () => {},
  )
  await notes.ended('alice', 'id')
  await notes.withdraw('alice', note)
  expect(limiter.told).toEqual([])
})
