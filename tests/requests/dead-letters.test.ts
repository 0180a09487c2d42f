import { afterEach, describe, expect, test } from 'bun:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { bundledModels } from '@oriel/dev/bundled-models'
import { firstPlan } from '@oriel/dev/plan'
import { prepareBroker } from '@oriel/dev/streams'
import { BulkRequeued, DeadLetterPage, DeadLetterView, HistoryPage, SubmissionAnswer } from '@oriel/protocol/api'
import { sentAtOf } from '@oriel/protocol/ids'
import { JOBS, jobSubject, PROGRESS } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { type Client, typesOf } from '../support/client.ts'
import { BUNDLED, moodyModel } from '../support/models.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({ models: ['moody'] })
const plan = firstPlan(bundledModels(BUNDLED))
const FAILED = ['queued', 'started', 'retrying', 'started', 'failed']
const idsOf = (events: readonly { id: number }[]) => events.map(({ id }) => id)
const upTo = (n: number) => Array.from({ length: n }, (_, at) => at + 1)

const operator = () => stack.client('olga', 'admin')
const post = (client: Client, path: string) => client.send(path, { method: 'POST' })

async function letters(client: Client, query = '?model=moody') {
  return v.parse(DeadLetterPage, await (await client.send(`/dead-letters${query}`)).json())
}

/** A request that failed for good, and Oriel's own id for it. */
async function fail(client: Client, requestID: string): Promise<string> {
  const { sentAt } = await client.submit('moody', { input: { x: 5 }, requestID })
  expect(typesOf(await client.follow(requestID)).filter((type) => type !== 'progress')).toEqual(FAILED)
  const olga = await operator()
  let id = ''
  await stack.until(async () => {
    const all = (await letters(olga)).deadLetters
    id = all.find((letter) => sentAtOf(letter.id) === Date.parse(sentAt))?.id ?? ''
    return id !== ''
  })
  return id
}

const mended = (knows: number, act: () => Promise<void> = async () => {}) =>
  stack.without('node-1', async () => {
    moodyModel(stack.modelsDir, knows)
    await act()
  })

/** How many requests count as under way, with one that is sent now. A limiter that answers late says nothing. */
async function chargedBy(client: Client): Promise<number> {
  for (;;) {
    const response = await client.post('moody', { input: { x: 1 } })
    const [quota, left] = ['RateLimit-Policy', 'RateLimit'].map((name) =>
      /"concurrent";[qr]=(\d+)/.exec(response.headers.get(name) ?? ''),
    )
    await client.cancel(v.parse(SubmissionAnswer, await response.json()).requestID)
    if (quota && left) return Number(quota[1]) - Number(left[1])
  }
}

afterEach(async () => {
  const olga = await operator()
  for (const { id } of (await letters(olga, '')).deadLetters) {
    await olga.send(`/dead-letters/${id}`, { method: 'DELETE' })
  }
})

describe('requeued', () => {
  test('a failed request goes on in the same log, and its client hears of it', async () => {
    const [alice, olga] = await Promise.all([stack.client('alice'), operator()])
    const id = await fail(alice, 'moody-1')
    expect((await alice.open('moody-1', { after: 5 })).status).toBe(204)

    const [summary] = (await letters(olga)).deadLetters
    expect(summary).toMatchObject({ modelID: 'moody', problem: { kind: 'inference-failed' }, requeueable: true })
    const letter = v.parse(DeadLetterView, await (await olga.send(`/dead-letters/${id}`)).json())
    expect(letter.job).toMatchObject({ version: '1', lane: 'interactive', input: { x: 5 } })
    expect(letter.attempts.map(({ attempt, problem }) => [attempt, problem?.kind])).toEqual([
      [1, 'inference-failed'],
      [2, 'inference-failed'],
    ])

    await mended(10, async () => {
      const answer = await post(olga, `/dead-letters/${id}/requeue`)
      expect(answer.status).toBe(202)
      expect(await answer.json()).toMatchObject({ id, requestID: 'moody-1', status: 'queued' })
      expect(await alice.get('moody-1')).toMatchObject({ status: 'queued' })
      expect((await olga.send(`/dead-letters/${id}`)).status).toBe(404)
    })
    const rest = await alice.follow('moody-1', undefined, 5)
    expect(rest[0]).toMatchObject({ id: 6, type: 'queued' })
    expect(rest.find(({ type }) => type === 'started')?.data.attempt).toBe(3)
    expect(rest.at(-1)?.type).toBe('completed')

    // Whoever reads from the beginning reads over the old end, now and from the record.
    const last = rest.at(-1)?.id ?? 0
    const whole = await alice.follow('moody-1')
    expect(idsOf(whole)).toEqual(upTo(last))
    expect((await alice.open('moody-1', { after: last })).status).toBe(204)
    await stack.until(async () => (await alice.get('moody-1')).status === 'completed')
    const text = await (await alice.open('moody-1')).text()
    await stack.recorded('alice', 'moody-1', 'completed')
    const page = v.parse(HistoryPage, await (await alice.send('/requests')).json())
    expect(page.requests).toMatchObject([{ requestID: 'moody-1', status: 'completed', lastEventID: last }])
    expect(page.requests[0]).not.toHaveProperty('problem')
    await stack.forgetActors()
    expect(await (await alice.open('moody-1')).text()).toBe(text)
    await mended(1)
  }, 90_000)

  test('that fails again it is a dead letter again, with all its attempts; two operators at once are as one', async () => {
    const [bob, olga] = await Promise.all([stack.client('bob'), operator()])
    const id = await fail(bob, 'moody-2')
    const answers = await Promise.all(
      [olga, await stack.client('oscar', 'admin')].map((operator) => post(operator, `/dead-letters/${id}/requeue`)),
    )
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses[0]).toBe(202)
    expect([202, 404]).toContain(statuses[1] ?? 0)
    await stack.until(async () => (await bob.get('moody-2')).lastEventID >= 10)
    const events = await bob.follow('moody-2')
    expect(typesOf(events).filter((type) => type !== 'progress')).toEqual([...FAILED, ...FAILED])
    expect(events.flatMap(({ type, data }) => (type === 'started' ? [data.attempt] : []))).toEqual([1, 2, 3, 4])
    await stack.until(async () => (await letters(olga)).deadLetters.length === 1)
    expect((await letters(olga)).deadLetters).toMatchObject([{ id, attempts: 4 }])
  }, 60_000)

  test('when its log and its actor are gone, it is written again from the record first', async () => {
    const [carol, olga] = await Promise.all([stack.client('carol'), operator()])
    const id = await fail(carol, 'moody-3')
    const before = await (await carol.open('moody-3')).text()
    await stack.recorded('carol', 'moody-3', 'failed')
    await stack.forgetActors()
    const nc = await stack.stack.nats('admin')
    await (await jetstreamManager(nc)).streams.purge(PROGRESS, { filter: `progress.*.${id}` })
    await nc.close()
    await mended(10, async () => {
      const requeued = await post(olga, `/dead-letters/${id}/requeue`)
      expect([requeued.status, await requeued.json()]).toMatchObject([202, { requestID: 'moody-3' }])
    })
    const events = await carol.follow('moody-3')
    expect(typesOf(events).slice(0, 5)).toEqual(FAILED)
    expect(events.at(-1)?.type).toBe('completed')
    expect(idsOf(events)).toEqual(upTo(events.length))
    expect((await (await carol.open('moody-3')).text()).startsWith(before)).toBe(true)
    await mended(1)
  }, 90_000)

  test('should the broker lose it all then, it goes on from what the record has', async () => {
    const [fred, olga] = await Promise.all([stack.client('fred'), operator()])
    const id = await fail(fred, 'moody-6')
    await stack.recorded('fred', 'moody-6', 'failed')
    await mended(10, async () => {
      expect((await post(olga, `/dead-letters/${id}/requeue`)).status).toBe(202)
      const nc = await stack.stack.nats('admin')
      const { streams } = await jetstreamManager(nc)
      for (const name of [JOBS, PROGRESS]) await streams.delete(name)
      await prepareBroker(nc, plan)
      await nc.close()
    })
    const rest = await fred.follow('moody-6', undefined, 5)
    expect(rest[0]?.id).toBe(6)
    expect(rest.at(-1)?.type).toBe('completed')
    const whole = await fred.follow('moody-6')
    expect(typesOf(whole).slice(0, 5)).toEqual(FAILED)
    expect(idsOf(whole)).toEqual(upTo(rest.at(-1)?.id ?? 0))
    await stack.recorded('fred', 'moody-6', 'completed')
    await mended(1)
  }, 90_000)

  test('those of a model go on at once; one that cannot does not hold up the others', async () => {
    const [gina, olga] = await Promise.all([stack.client('gina'), operator()])
    const ids = [await fail(gina, 'moody-7'), await fail(gina, 'moody-8')]
    const nc = await stack.stack.nats('admin')
    await jetstream(nc).publish(jobSubject(0, 'interactive', 'moody'), 'hello')
    await nc.close()
    await stack.until(async () => (await letters(olga)).deadLetters.length === 3)
    await mended(10, async () => {
      const headers = { 'Content-Type': 'application/json' }
      const body = JSON.stringify({ model: 'moody' })
      const answer = await olga.send('/dead-letters/requeue', { method: 'POST', headers, body })
      expect(answer.status).toBe(200)
      const { requeued, refused, nextCursor } = v.parse(BulkRequeued, await answer.json())
      expect(requeued.map(({ id }) => id)).toEqual([...ids].sort().reverse())
      expect(refused).toMatchObject([{ problem: { kind: 'not-requeueable' } }])
      expect(nextCursor).toBeNull()
    })
    for (const requestID of ['moody-7', 'moody-8']) {
      expect((await gina.follow(requestID, undefined, 5)).at(-1)?.type).toBe('completed')
    }
    expect((await letters(olga)).deadLetters).toHaveLength(1)
    await mended(1)
  }, 60_000)

  test('with Postgres away it stops at the first that needs it, and the cursor leads on', async () => {
    const [gina, olga] = await Promise.all([stack.client('gina'), operator()])
    const ids = [await fail(gina, 'moody-9'), await fail(gina, 'moody-10')]
    const nc = await stack.stack.nats('admin')
    await jetstream(nc).publish(jobSubject(0, 'interactive', 'moody'), 'hello')
    await nc.close()
    await stack.until(async () => (await letters(olga)).deadLetters.length === 3)
    const requeue = (nextCursor?: string) => {
      const headers = { 'Content-Type': 'application/json' }
      const body = JSON.stringify({ model: 'moody', ...(nextCursor && { nextCursor }) })
      return olga.send('/dead-letters/requeue', { method: 'POST', headers, body })
    }
    let cursor = ''
    await stack.without('postgres', async () => {
      const stopped = v.parse(BulkRequeued, await (await requeue()).json())
      expect(stopped).toMatchObject({ requeued: [], stopped: { kind: 'unavailable' } })
      expect(stopped.refused).toMatchObject([{ problem: { kind: 'not-requeueable' } }])
      cursor = stopped.nextCursor ?? ''
      expect((await requeue(cursor)).status).toBe(503)
    })
    await mended(10, async () => {
      const { requeued, refused } = v.parse(BulkRequeued, await (await requeue(cursor)).json())
      expect(requeued.map(({ id }) => id)).toEqual([...ids].sort().reverse())
      expect(refused).toEqual([])
    })
    await mended(1)
  }, 90_000)

  test('it is not charged to its user; it can be cancelled, and is then no matter for operators any more', async () => {
    const [dora, olga] = await Promise.all([stack.client('dora'), operator()])
    const id = await fail(dora, 'moody-4')
    await stack.without('node-1', async () => {
      expect((await post(olga, `/dead-letters/${id}/requeue`)).status).toBe(202)
      expect(await chargedBy(dora)).toBe(1)
      expect(await (await dora.cancel('moody-4')).json()).toMatchObject({ status: 'cancelled' })
    })
    const types = typesOf(await dora.follow('moody-4'))
    expect(types.at(-1)).toBe('cancelled')
    expect(types).toContain('failed')
  }, 60_000)
})

test('a letter is discarded, and its request stays failed', async () => {
  const [erin, olga] = await Promise.all([stack.client('erin'), operator()])
  const id = await fail(erin, 'moody-5')
  expect((await olga.send(`/dead-letters/${id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await olga.send(`/dead-letters/${id}`, { method: 'DELETE' })).status).toBe(404)
  expect((await post(olga, `/dead-letters/${id}/requeue`)).status).toBe(404)
  expect((await erin.get('moody-5')).status).toBe('failed')
}, 30_000)

test('letters are paged, those sent last first, and those of one model are found among the others', async () => {
  const olga = await operator()
  const nc = await stack.stack.nats('admin')
  const client = jetstream(nc)
  const dead = { at: 1, node: 'node-1', deliveries: 1, problem: { kind: 'internal', detail: 'Made by hand.' } }
  const ids = Array.from({ length: 25 }, (_, at) => `0000${at + 10}`)
  await Promise.all(
    ids.map((id, at) => client.publish(`dead.${at % 5 === 0 ? 'few' : 'many'}.${id}`, JSON.stringify(dead))),
  )
  const seen: string[] = []
  for (let cursor = ''; ; ) {
    const page = await letters(olga, `?limit=10&nextCursor=${cursor}`)
    seen.push(...page.deadLetters.map(({ id }) => id))
    if (page.nextCursor === null) break
    cursor = page.nextCursor
  }
  expect(seen).toEqual([...ids].reverse())
  expect((await letters(olga, '?model=few')).deadLetters.map(({ id }) => id)).toEqual([
    '000030',
    '000025',
    '000020',
    '000015',
    '000010',
  ])
  expect((await letters(olga, '?model=none')).deadLetters).toEqual([])
  await nc.close()
})

test('a message that was never a job is shown and discarded, and not requeued', async () => {
  const olga = await operator()
  const nc = await stack.stack.nats('admin')
  await jetstream(nc).publish(jobSubject(0, 'interactive', 'moody'), 'hello')
  await nc.close()
  await stack.until(async () => (await letters(olga)).deadLetters.length === 1)
  const [letter] = (await letters(olga)).deadLetters
  expect(letter).toMatchObject({ modelID: 'moody', requeueable: false })
  expect(await (await olga.send(`/dead-letters/${letter?.id}`)).json()).toMatchObject({ message: 'hello' })
  const refused = await post(olga, `/dead-letters/${letter?.id}/requeue`)
  expect(refused.status).toBe(409)
  expect(await refused.json()).toMatchObject({ type: 'urn:oriel:problem:not-requeueable' })
  expect((await olga.send(`/dead-letters/${letter?.id}`, { method: 'DELETE' })).status).toBe(204)
}, 30_000)

test('without the scope nobody gets in', async () => {
  const alice = await stack.client('alice')
  for (const [method, path] of [
    ['GET', '/dead-letters'],
    ['GET', '/dead-letters/x'],
    ['DELETE', '/dead-letters/x'],
    ['POST', '/dead-letters/x/requeue'],
  ] as const) {
    const response = await alice.send(path, { method })
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ type: 'urn:oriel:problem:forbidden' })
  }
})
