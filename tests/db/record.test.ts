import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { Database } from '@oriel/db/database'
import { History, PAGE_BYTES } from '@oriel/db/history'
import { migrate } from '@oriel/db/migrate'
import type { Fact } from '@oriel/db/parse-fact'
import { PartitionTables } from '@oriel/db/partition-tables'
import { DAY_MS } from '@oriel/db/partitions'
import { PostgresRecord } from '@oriel/db/postgres-record'
import { RecordedPredictions } from '@oriel/db/predictions'
import type { Recorded } from '@oriel/db/recorded'
import { declaredColumns } from '@oriel/db/testing/declared-columns'
import { accepted, ended, logOf, SENT_AT } from '@oriel/db/testing/facts'
import { type PostgresServer, startPostgres } from '@oriel/db/testing/postgres-server'
import type { NewEvent, RequestEvent } from '@oriel/protocol/event'
import { type Accepted, type Ended, endedFacts } from '@oriel/protocol/fact'
import { newRequestId } from '@oriel/protocol/ids'
import { lostEnd } from '@oriel/protocol/lost-end'
import { type Problem, ProblemError } from '@oriel/protocol/problem'
import fc from 'fast-check'
import postgres, { type Sql } from 'postgres'

let server: PostgresServer
let client: Sql
let database: Database
let record: PostgresRecord
let history: History

beforeAll(async () => {
  server = await startPostgres()
  // Two at once: the stack and a person, say.
  await Promise.all([migrate(server.url), migrate(server.url)])
  client = postgres(server.url, { fetch_types: false })
  history = new History(client)
}, 60_000)

beforeEach(async () => {
  database = new Database(server.url)
  record = new PostgresRecord(database, new PartitionTables(database))
  await client`truncate requests, responses, predictions`
})

afterEach(() => database.end())

afterAll(async () => {
  await client.end()
  await server.remove()
})

const acceptedFact = (fact: Accepted): Fact => ({ kind: 'accepted', fact })
const endedFact = (fact: Ended): Fact => ({ kind: 'ended', fact })

/** All pages of a user's history, one after the other. */
async function everyPage(user: string, limit: number): Promise<Recorded[][]> {
  const pages: Recorded[][] = []
  let cursor: string | undefined
  do {
    const page = await history.page(user, cursor, limit)
    pages.push([...page.items])
    cursor = page.next
  } while (cursor !== undefined)
  return pages
}

test('the tables are those of the schema', async () => {
  const rows = await client<{ column: string }[]>`
    select table_name || '.' || column_name || case is_nullable when 'NO' then ' not null' else '' end as column
    from information_schema.columns
    where table_schema = 'public' and table_name !~ '_[0-9]{4}_[0-9]{2}_[0-9]{2}$'`
  expect(rows.map(({ column }) => column).sort()).toEqual(declaredColumns().sort())
})

test('a request is found as it was sent, with its log as it was written', async () => {
  const accept = accepted(SENT_AT, { request: { zebra: 1, input: { b: [1.5e300, -0.1], a: 'é\u2028' } } })
  const log = logOf([{ positive: 0.9, negative: 0.1 }, ' upon a time', { 9: 'x', a: null }])
  await record.insert([acceptedFact(accept), ...ended(accept.id, log).map(endedFact)])
  const found = await history.find('ada', accept.requestID)
  expect(found).toEqual({
    id: accept.id,
    requestID: accept.requestID,
    model: 'storyteller',
    version: '1',
    request: accept.request,
    bodyHash: accept.bodyHash,
    deadlineAt: accept.deadlineAt,
    sentAt: SENT_AT,
    status: 'completed',
    events: log,
  })
  // Byte for byte, the order of keys included: a replay from here equals one from the log.
  const responses = (events: readonly object[] = []) => events.map((event) => 'response' in event && event.response)
  expect(JSON.stringify(responses(found?.events))).toBe(JSON.stringify(responses(log)))
  expect(JSON.stringify(found?.request)).toBe(JSON.stringify(accept.request))
})

test('the same facts twice, split and in any order, are one request', async () => {
  const accept = accepted()
  const log = logOf(Array.from({ length: 5 }, () => 'x'.repeat(400_000)))
  const parts = ended(accept.id, log)
  expect(parts.length).toBeGreaterThan(2)
  const [first, ...rest] = parts.map(endedFact)
  if (!first) throw new Error('no parts')
  await record.insert(rest.reverse())
  await record.insert([acceptedFact(accept), ...rest, acceptedFact(accept)])
  // A part is missing: the record does not say more than it has.
  expect(await history.find('ada', accept.requestID)).toMatchObject({ status: 'accepted', events: [] })
  expect(await history.isRecorded(accept.id, log.length)).toBe(false)
  await record.insert([first, first, ...rest])
  expect(await history.find('ada', accept.requestID)).toMatchObject({ status: 'completed', events: log })
  expect(await history.isRecorded(accept.id, log.length)).toBe(true)
  expect((await history.page('ada', undefined, 10)).items).toHaveLength(1)
})

test('an outcome without its acceptance is not recorded, and not shown', async () => {
  const accept = accepted()
  await record.insert(ended(accept.id).map(endedFact))
  expect(await history.isRecorded(accept.id, 3)).toBe(false)
  expect(await history.find('ada', accept.requestID)).toBeUndefined()
})

test('facts are never changed by later ones', async () => {
  const accept = accepted()
  await record.insert([acceptedFact(accept), ...ended(accept.id).map(endedFact)])
  await record.insert([acceptedFact({ ...accept, user: 'eve' }), ...ended(accept.id, logOf(['other'])).map(endedFact)])
  expect((await history.find('ada', accept.requestID))?.events).toEqual(logOf([' upon']))
  expect(await history.find('eve', accept.requestID)).toBeUndefined()
})

/** Of a request that failed, was queued again `times` times and failed again, and then completed. */
function endsOf(id: string, times: number, text = 'x'): Ended[][] {
  const problem: Problem = { kind: 'inference-failed', detail: 'The model threw.' }
  const log: RequestEvent[] = []
  const add = (event: NewEvent) => log.push({ ...event, n: log.length + 1, at: SENT_AT + log.length })
  return Array.from({ length: times + 1 }, (_, time) => {
    add({ type: 'queued', position: 0 })
    add({ type: 'started', node: 'node-1', attempt: time + 1 })
    add({ type: 'responses', response: text })
    add(time < times ? { type: 'failed', problem, retriable: true } : { type: 'completed' })
    return endedFacts(id, log)
  })
}

test('of several ends the last that is whole counts, whatever the order and however often the facts come', async () => {
  const order = fc.record({ times: fc.integer({ min: 0, max: 3 }), seed: fc.array(fc.nat(), { minLength: 24 }) })
  await fc.assert(
    fc.asyncProperty(order, async ({ times, seed }) => {
      const accept = accepted()
      const ends = endsOf(accept.id, times)
      const facts = [acceptedFact(accept), ...ends.flat().map(endedFact)]
      const told = [...facts, ...facts].map((fact, i) => ({ fact, at: seed[i] ?? 0 })).sort((a, b) => a.at - b.at)
      let last = 0
      let isAccepted = false
      for (const { fact } of told) {
        await record.insert([fact])
        if (fact.kind === 'accepted') isAccepted = true
        else if (fact.kind === 'ended') last = Math.max(last, fact.fact.n)
        const found = await history.find('ada', accept.requestID)
        if (!isAccepted) expect(found).toBeUndefined()
        else if (last === 0) expect(found).toMatchObject({ status: 'accepted', events: [] })
        else {
          const events = ends.flat().find(({ n }) => n === last)?.events ?? []
          expect(found).toMatchObject({ status: last === 4 * (times + 1) ? 'completed' : 'failed', events })
        }
      }
      expect(await Array.fromAsync(history.events(accept.id))).toEqual(ends.at(-1)?.[0]?.events ?? [])
    }),
    { numRuns: 25 },
  )
})

test('an end of which a part is missing does not take the place of the one before it', async () => {
  const accept = accepted()
  const [failed = [], completed = []] = endsOf(accept.id, 1, 'x'.repeat(800_000))
  expect(completed.length).toBeGreaterThan(1)
  await record.insert([acceptedFact(accept), ...failed.map(endedFact), ...completed.slice(1).map(endedFact)])
  expect(await history.find('ada', accept.requestID)).toMatchObject({ status: 'failed' })
  expect(await history.isRecorded(accept.id, 4)).toBe(true)
  // The actor of a request that has ended for the second time must not forget it for the first.
  expect(await history.isRecorded(accept.id, 8)).toBe(false)
  await record.insert(completed.slice(0, 1).map(endedFact))
  expect(await history.isRecorded(accept.id, 8)).toBe(true)
  const found = await history.find('ada', accept.requestID)
  expect(found?.status).toBe('completed')
  expect(found?.events.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect((await history.page('ada', undefined, 10)).items).toHaveLength(1)
})

test('an answer that was given up as lost stays so, though it comes back, and is told as lost wherever one reads on', async () => {
  const accept = accepted()
  const [parts = []] = endsOf(accept.id, 0, 'x'.repeat(800_000))
  expect(parts.length).toBeGreaterThan(1)
  const end = lostEnd({ status: 'completed', n: 4, at: SENT_AT })
  await record.insert([acceptedFact(accept), ...endedFacts(accept.id, [end]).map(endedFact)])
  for (const late of [[], parts]) {
    await record.insert(late.map(endedFact))
    expect(await history.find('ada', accept.requestID)).toMatchObject({ status: 'completed', events: [end] })
    expect(await history.isRecorded(accept.id, 4)).toBe(true)
    expect(await Array.fromAsync(history.events(accept.id))).toEqual([end])
    expect(await Array.fromAsync(history.events(accept.id, 2))).toEqual([end])
    expect(await Array.fromAsync(history.events(accept.id, 4))).toEqual([])
  }
})

test('a log is read from any event on, a part at a time', async () => {
  const accept = accepted()
  const log = logOf(Array.from({ length: 5 }, () => 'x'.repeat(400_000)))
  await record.insert(ended(accept.id, log).map(endedFact))
  for (let after = 0; after <= log.length; after++) {
    expect(await Array.fromAsync(history.events(accept.id, after))).toEqual(log.slice(after))
  }
})

test('paging over 1,000 requests of the same millisecond gives each exactly once, newest first', async () => {
  const facts = Array.from({ length: 1000 }, () => accepted())
  await record.insert(facts.flatMap((fact) => [acceptedFact(fact), ...ended(fact.id).map(endedFact)]))
  await record.insert(Array.from({ length: 50 }, () => acceptedFact(accepted(SENT_AT, { user: 'eve' }))))
  const ids = facts.map(({ id }) => id).sort((a, b) => (a < b ? 1 : -1))
  for (const limit of [1000, 100, 7]) {
    const pages = await everyPage('ada', limit)
    expect(pages.flat().map(({ id }) => id)).toEqual(ids)
    expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true)
  }
})

test('a page goes over the days, and new requests do not disturb who is reading on', async () => {
  const facts = Array.from({ length: 60 }, (_, day) => accepted(SENT_AT - day * DAY_MS))
  await record.insert(facts.map(acceptedFact))
  const first = await history.page('ada', undefined, 4)
  await record.insert([acceptedFact(accepted(SENT_AT + 1))])
  const second = await history.page('ada', first.next, 100)
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(facts.map(({ id }) => id))
  expect(second.next).toBeUndefined()
})

test('a page ends early rather than grow without bounds, and always goes on', async () => {
  const facts = Array.from({ length: 12 }, (_, i) => accepted(SENT_AT + i))
  const log = logOf(['x'.repeat(1_000_000)])
  for (const fact of facts) await record.insert([acceptedFact(fact), ...ended(fact.id, log).map(endedFact)])
  const pages = await everyPage('ada', 100)
  expect(pages.length).toBeGreaterThan(1)
  expect(pages.flat()).toHaveLength(12)
  for (const page of pages) expect(JSON.stringify(page.slice(1)).length).toBeLessThan(PAGE_BYTES)
})

test('a user sees only what is theirs, whatever they ask with', async () => {
  const mine = accepted(SENT_AT, { requestID: 'same-name' })
  const theirs = accepted(SENT_AT + 1, { requestID: 'same-name', user: 'eve' })
  await record.insert([mine, theirs, accepted(SENT_AT - 1, { user: 'eve' })].map(acceptedFact))
  expect((await history.find('ada', 'same-name'))?.id).toBe(mine.id)
  expect((await history.find('eve', 'same-name'))?.id).toBe(theirs.id)
  expect(await history.find('mallory', 'same-name')).toBeUndefined()
  expect((await history.page('mallory', undefined, 10)).items).toEqual([])
  const { next } = await history.page('eve', undefined, 1)
  await expect(history.page('ada', next, 10)).rejects.toBeInstanceOf(ProblemError)
})

test('of several requests of one name the newest is found', async () => {
  const facts = [0, 40, 3].map((days) => accepted(SENT_AT - days * DAY_MS, { requestID: 'again' }))
  await record.insert(facts.map(acceptedFact))
  expect((await history.find('ada', 'again'))?.id).toBe(facts[0]?.id ?? '')
})

test('strings that a jsonb column would refuse are kept', async () => {
  const odd = { input: 'nul \u0000, half \ud800 of a pair', '\u0000': 1 }
  const accept = accepted(SENT_AT, { request: odd })
  await record.insert([acceptedFact(accept), ...ended(accept.id, logOf(['a\u0000b'])).map(endedFact)])
  const found = await history.find('ada', accept.requestID)
  expect(found?.request).toEqual(odd)
  expect(found?.events).toEqual(logOf(['a\u0000b']))
})

test('a fact that cannot be stored is refused as such; anything else is not the fact’s fault', async () => {
  const refusal = (fact: Accepted) =>
    record.insert([acceptedFact(fact)]).then(
      () => 'stored',
      (error: unknown) => record.refuses(error),
    )
  expect(await refusal(accepted(SENT_AT, { user: 'a\u0000da' }))).toBe(true)
  expect(await refusal(accepted(SENT_AT, { user: randomText(10_000) }))).toBe(true)
  expect(await refusal(accepted(SENT_AT, { deadlineAt: 1e300 }))).toBe(true)
  await client`alter table requests rename to elsewhere`
  try {
    expect(await refusal(accepted())).toBe(false)
  } finally {
    await client`alter table elsewhere rename to requests`
  }
  expect(await refusal(accepted())).toBe('stored')
})

test('ids of any day find their partition, also one that was dropped, and two recorders do not collide', async () => {
  const days = [0, 1, 2, 400, 10_000].map((day) => SENT_AT - day * DAY_MS)
  const others = new Database(server.url)
  const other = new PostgresRecord(others, new PartitionTables(others))
  const facts = days.map((sentAt) => accepted(sentAt))
  await Promise.all([record.insert(facts.map(acceptedFact)), other.insert(facts.map(acceptedFact))])
  expect((await everyPage('ada', 10)).flat()).toHaveLength(5)
  await client`drop table requests_1998_09_15`
  await record.insert([acceptedFact(accepted(SENT_AT - 10_000 * DAY_MS))])
  expect((await everyPage('ada', 10)).flat()).toHaveLength(5)
  await others.end()
})

test('a connection without an answer is given up, and the next statement has another', async () => {
  const impatient = new Database(server.url, 100)
  await expect(impatient.run((sql) => sql`select pg_sleep(20)`)).rejects.toThrow('did not answer')
  expect(await impatient.run((sql) => sql`select 1 as one`)).toMatchObject([{ one: 1 }])
  await impatient.end()
})

test('partitions are made ahead of time', async () => {
  const now = Date.UTC(2030, 4, 30, 23)
  await new PartitionTables(database).ensureAhead(now)
  const rows = await client`
    select inhrelid::regclass::text as name from pg_inherits
    where inhparent in ('requests'::regclass, 'responses'::regclass) and inhrelid::regclass::text ~ '2030'`
  expect(rows.map(({ name }) => name).sort()).toEqual(
    ['requests', 'responses'].flatMap((table) =>
      ['05_30', '05_31', '06_01', '06_02', '06_03', '06_04', '06_05', '06_06'].map((day) => `${table}_2030_${day}`),
    ),
  )
})

const randomText = (length: number) =>
  Array.from({ length }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26))).join('')

test('a prediction that two nodes have told is one row; pages lead to all of them, and to no other user’s', async () => {
  const predictions = new RecordedPredictions(client)
  const ids = [0, 1, 2].map((second) => newRequestId(SENT_AT + second * 1_000))
  const told = (node: string, user = 'ada', all = ids): Fact => ({
    kind: 'predicted',
    fact: {
      id: newRequestId(SENT_AT),
      node,
      predictions: all.map((id) => ({
        id,
        user,
        model: 'iris',
        version: '1',
        status: 'completed',
        tookMs: 1.5,
        input: { tensors: [{ name: 'x', data: ['9007199254740993', '\u0000'] }] },
        output: { sha256: '0'.repeat(64), bytes: 8 },
      })),
    },
  })
  await record.insert([told('a'), told('b')])
  await record.insert([told('c'), told('c', 'bob', [newRequestId(SENT_AT)])])
  const first = await predictions.page('ada', undefined, undefined, 2)
  const second = await predictions.page('ada', 'iris', first.next, 2)
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids.toReversed())
  expect(second.next).toBeUndefined()
  expect((await predictions.page('ada', 'other', undefined, 2)).items).toEqual([])
  expect(second.items[0]?.input).toEqual({ tensors: [{ name: 'x', data: ['9007199254740993', '\u0000'] }] })
  expect(await predictions.find('bob', ids[0] ?? '')).toBeUndefined()
  await expect(predictions.page('bob', undefined, first.next, 2)).rejects.toThrow(ProblemError)
})

test('a prediction that failed on one node and was answered by another was answered, whoever tells it first', async () => {
  const predictions = new RecordedPredictions(client)
  const common = { user: 'ada', model: 'iris', version: '1', tookMs: 1, input: { tensors: [] } }
  const problem: Problem = { kind: 'out-of-memory', detail: 'There is no room.' }
  const told = (id: string, node: string, answered: boolean): Fact => ({
    kind: 'predicted',
    fact: {
      id: newRequestId(SENT_AT),
      node,
      predictions: [
        answered
          ? { ...common, id, status: 'completed', output: { tensors: [] } }
          : { ...common, id, status: 'failed', problem },
      ],
    },
  })
  for (const order of [
    [false, true],
    [true, false],
  ]) {
    for (const together of [true, false]) {
      const id = newRequestId(SENT_AT)
      const facts = order.map((answered) => told(id, answered ? 'second' : 'first', answered))
      if (together) await record.insert(facts)
      else for (const fact of facts) await record.insert([fact])
      const found = await predictions.find('ada', id)
      expect(found).toMatchObject({ node: 'second', status: 'completed', problem: null, output: { tensors: [] } })
    }
  }
})
