import { expect, test } from 'bun:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { bundledModels } from '@oriel/dev/bundled-models'
import { firstPlan } from '@oriel/dev/plan'
import { HistoryPage, type RequestView } from '@oriel/protocol/api'
import { partitionOf } from '@oriel/protocol/placement'
import { MAX_QUEUED } from '@oriel/protocol/streams'
import { JOBS, jobSubject } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Client, Received } from '../support/client.ts'
import { BUNDLED } from '../support/models.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()
const iris = { input: { features: [5.1, 3.5, 1.4, 0.2] } }

async function pageOf(client: Client, query = ''): Promise<HistoryPage> {
  const response = await client.send(`/requests${query}`)
  if (response.status !== 200) throw new Error(`history: ${response.status} ${await response.text()}`)
  return v.parse(HistoryPage, await response.json())
}

async function allOf(client: Client, limit: number): Promise<RequestView[]> {
  const all: RequestView[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: HistoryPage = await pageOf(client, `?limit=${limit}&nextCursor=${cursor}`)
    all.push(...page.requests)
    cursor = page.nextCursor
  }
  return all
}

/** What a client that followed a request has seen of it, as the history tells it. */
const seenOf = (requestID: string, events: readonly Received[]) => ({
  requestID,
  status: events.at(-1)?.type,
  lastEventID: events.at(-1)?.id,
  responses: events.flatMap(({ type, data }) =>
    type === 'responses' ? [{ response: data.response, sentAt: data.sentAt }] : [],
  ),
})

async function readsItsWrites(client: Client, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    const { requestID } = await client.submit('iris', iris)
    expect((await pageOf(client, '?limit=1')).requests[0]?.requestID).toBe(requestID)
    const events = await client.follow(requestID)
    expect((await pageOf(client, '?limit=1')).requests[0]).toMatchObject(seenOf(requestID, events))
  }
}

test('a user reads what they just wrote and saw, without the recorder', async () => {
  const rosa = await stack.client('rosa')
  await readsItsWrites(rosa, 2)
  await stack.stack.stopPart('recorder')
  try {
    await readsItsWrites(rosa, 10)
    expect((await pageOf(rosa)).requests).toHaveLength(12)
  } finally {
    await stack.stack.startPart('recorder')
  }
}, 60_000)

test('while the recorder is behind a walk through the history leaves nothing out, however many are recent', async () => {
  const bela = await stack.client('bela')
  await stack.stack.stopPart('recorder')
  try {
    const sent = await Promise.all(Array.from({ length: 130 }, () => bela.submit('iris', iris)))
    const newestFirst = sent.map(({ requestID }) => requestID).sort()
    expect((await allOf(bela, 37)).map(({ requestID }) => requestID)).toEqual(newestFirst.reverse())
  } finally {
    await stack.stack.startPart('recorder')
  }
}, 60_000)

test('and without Postgres, as far as the recent requests reach; a page of them revalidates', async () => {
  const pia = await stack.client('pia')
  await stack.without('postgres', async () => {
    await readsItsWrites(pia, 5)
    const page = await pageOf(pia)
    expect(page.requests).toHaveLength(5)
    const response = await pia.send('/requests?limit=3')
    const tag = response.headers.get('ETag') ?? ''
    expect((await pia.send('/requests?limit=3', { headers: { 'If-None-Match': tag } })).status).toBe(304)
    await pia.submit('iris', iris)
    expect((await pia.send('/requests?limit=3', { headers: { 'If-None-Match': tag } })).status).toBe(200)
    expect((await pia.send(`/requests?nextCursor=${page.nextCursor}`)).status).toBe(503)
    // Nothing is known of them: that is not the same as nothing there.
    expect((await (await stack.client('new')).send('/requests')).status).toBe(503)
  })
}, 60_000)

test('who has recent requests alone needs Postgres once, to know that there is nothing else', async () => {
  const nora = await stack.client('nora')
  expect(await pageOf(nora)).toMatchObject({ requests: [], nextCursor: null })
  const { requestID } = await nora.submit('iris', iris)
  await stack.without('postgres', async () => {
    expect(await pageOf(nora)).toMatchObject({ requests: [{ requestID }], nextCursor: null })
  })
}, 60_000)

test('requests that race are each in the history at once, and it stays the same when the record has them', async () => {
  const otto = await stack.client('otto')
  const followed = await Promise.all(
    Array.from({ length: 130 }, async () => {
      const { requestID } = await otto.submit('iris', iris)
      return seenOf(requestID, await otto.follow(requestID))
    }),
  )
  const newestFirst = followed.sort((a, b) => (a.requestID < b.requestID ? 1 : -1))
  // More than are kept as recent: the first pages are the actors', the last ones the record's.
  expect((await pageOf(otto, '?limit=100')).requests).toMatchObject(newestFirst.slice(0, 100))
  for (const { requestID } of newestFirst) await stack.recorded('otto', requestID)
  const before = await allOf(otto, 37)
  expect(before).toMatchObject(newestFirst)
  await stack.forgetActors()
  expect(await allOf(otto, 23)).toEqual(before)
}, 90_000)

test('a request that the queue refuses is never in the history, not even while it is decided; others are', async () => {
  const quinn = await stack.client('quinn')
  const nc = await stack.stack.nats('admin')
  const subject = jobSubject(partitionOf(firstPlan(bundledModels(BUNDLED)), 'iris'), 'interactive', 'iris')
  await stack.without('node-1', async () => {
    await Promise.all(Array.from({ length: MAX_QUEUED - 30 }, () => jetstream(nc).publish(subject, '{}')))
    const shown = new Set<string>()
    let deciding = true
    const reading = (async () => {
      while (deciding) for (const { requestID } of (await pageOf(quinn, '?limit=100')).requests) shown.add(requestID)
    })()
    const answers = await Promise.all(
      Array.from({ length: 80 }, async (_, at) => ({
        requestID: `q${at}`,
        status: (await quinn.post('iris', { ...iris, requestID: `q${at}` })).status,
      })),
    )
    deciding = false
    await reading
    const idsOf = (status: number) => answers.flatMap((one) => (one.status === status ? [one.requestID] : [])).sort()
    expect(idsOf(202)).toHaveLength(30)
    expect(idsOf(503)).toHaveLength(50)
    expect(idsOf(503).filter((requestID) => shown.has(requestID))).toEqual([])
    const { requests } = await pageOf(quinn, '?limit=100')
    expect(requests.map(({ requestID }) => requestID).sort()).toEqual(idsOf(202))
    await (await jetstreamManager(nc)).streams.purge(JOBS, { filter: subject })
  })
  await nc.close()
}, 120_000)
