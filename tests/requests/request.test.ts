import { describe, expect, test } from 'bun:test'
import { HistoryPage } from '@oriel/protocol/api'
import * as v from 'valibot'
import { textOf, typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({ models: ['counter', 'damaged', 'typo'] })
const iris = { input: { features: [6.3, 3.3, 6.0, 2.5] } }

describe('submitting', () => {
  test('twenty clients that race with one id are one request', async () => {
    const alice = await stack.client('alice')
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => alice.submit('iris', { ...iris, requestID: 'raced' })),
    )
    expect(new Set(answers.map(({ sentAt }) => sentAt)).size).toBe(1)
    await alice.follow('raced')
    await stack.recorded('alice', 'raced')
    const { requests } = v.parse(HistoryPage, await (await alice.send('/requests')).json())
    expect(requests.filter(({ requestID }) => requestID === 'raced')).toHaveLength(1)
  })

  test('the same body is the same request, also when it has ended; another body is a conflict', async () => {
    const alice = await stack.client('alice')
    const first = await alice.submit('iris', { ...iris, requestID: 'again' })
    await alice.follow('again')
    const again = await alice.submit('iris', { requestID: 'again', ...iris })
    expect(again).toMatchObject({ requestID: 'again', sentAt: first.sentAt, status: 'completed' })
    const other = await alice.post('iris', { input: { features: [1, 1, 1, 1] }, requestID: 'again' })
    expect(other.status).toBe(409)
    expect(await other.json()).toMatchObject({ type: 'urn:oriel:problem:request-conflict' })
  })

  test('two users may use the same id and never notice', async () => {
    const [alice, bob] = await Promise.all([stack.client('alice'), stack.client('bob')])
    await alice.submit('iris', { ...iris, requestID: 'shared' })
    await bob.submit('sentiment', { input: 'This was terrible.', requestID: 'shared' })
    await Promise.all([alice.follow('shared'), bob.follow('shared')])
    expect((await alice.get('shared')).modelID).toBe('iris')
    expect((await bob.get('shared')).modelID).toBe('sentiment')
  })

  test("another user's request does not exist, by any door", async () => {
    const [alice, bob] = await Promise.all([stack.client('alice'), stack.client('bob')])
    const { requestID } = await alice.submit('iris', iris)
    await alice.follow(requestID)
    for (const path of [`/requests/${requestID}`, `/requests/${requestID}/events`]) {
      expect((await bob.send(path)).status).toBe(404)
    }
    expect((await bob.cancel(requestID)).status).toBe(404)
    expect((await alice.get(requestID)).status).toBe('completed')
  })

  test('a model whose file is damaged says so; one whose manifest has a typo is not there; the others go on', async () => {
    const alice = await stack.client('alice')
    const damaged = await alice.post('damaged', { input: { times: 1 } })
    expect(damaged.status).toBe(503)
    expect(await damaged.json()).toMatchObject({
      type: 'urn:oriel:problem:model-damaged',
      detail: expect.stringContaining('model.onnx'),
    })
    const typo = await alice.post('typo', { input: { times: 1 } })
    expect(typo.status).toBe(503)
    expect(await typo.json()).toMatchObject({ detail: expect.stringContaining('timeoutMS') })
    const { models } = (await (await alice.send('/models')).json()) as { models: { modelID: string }[] }
    expect(models.map(({ modelID }) => modelID)).toEqual(expect.arrayContaining(['iris', 'sentiment', 'storyteller']))
    const { requestID } = await alice.submit('iris', iris)
    expect(typesOf(await alice.follow(requestID)).at(-1)).toBe('completed')
  })
})

describe('polling', () => {
  test('a client that cannot stream sees the answer grow, and asks only for what is new', async () => {
    const alice = await stack.client('alice')
    const parameters = { maxTokens: 20, seed: 3, tokensPerSecond: 30 }
    const { requestID } = await alice.submit('storyteller', { input: 'Ben and his dog', parameters })
    let text = ''
    let after = 0
    for (;;) {
      const view = await alice.get(requestID, after)
      text += view.responses.map(({ response }) => response).join('')
      after = view.lastEventID
      if (view.status === 'completed') break
    }
    expect(text).toBe(textOf(await alice.follow(requestID)))
    const whole = await alice.get(requestID)
    expect(whole).toMatchObject({ modelID: 'storyteller', request: { input: 'Ben and his dog', parameters } })
  })

  test('a number that is not there is to be asked again while the request goes on, and refused when it has ended', async () => {
    const alice = await stack.client('alice')
    const parameters = { maxTokens: 500, tokensPerSecond: 20 }
    const { requestID } = await alice.submit('storyteller', { input: 'Once', parameters })
    const early = await alice.send(`/requests/${requestID}?after=9999`)
    expect(early.status).toBe(503)
    expect(early.headers.get('Retry-After')).toBe('1')
    await alice.cancel(requestID)
    expect((await alice.send(`/requests/${requestID}?after=9999`)).status).toBe(400)
  })
})

describe('ending early', () => {
  test('a running request is cancelled: the stream ends, and so does the work', async () => {
    const alice = await stack.client('alice')
    const parameters = { maxTokens: 500, tokensPerSecond: 20 }
    const { requestID } = await alice.submit('storyteller', { input: 'Once', parameters })
    const events = await alice.follow(requestID, async ({ id }) => {
      if (id === 4) expect((await alice.cancel(requestID)).status).toBe(200)
    })
    expect(typesOf(events).at(-1)).toBe('cancelled')
    expect(await (await alice.cancel(requestID)).json()).toMatchObject({ status: 'cancelled' })
    await stack.idle()
  })

  test('a request that waits in the queue is cancelled without a node', async () => {
    await stack.without('node-1', async () => {
      const alice = await stack.client('alice')
      const { requestID } = await alice.submit('iris', iris)
      const events = alice.follow(requestID)
      expect((await alice.cancel(requestID)).status).toBe(200)
      expect(typesOf(await events)).toEqual(['queued', 'cancelled'])
    })
    // The node that comes back finds the job, sees its end in the log, and goes on with others.
    const alice = await stack.client('alice')
    const { requestID } = await alice.submit('iris', iris)
    expect(typesOf(await alice.follow(requestID)).at(-1)).toBe('completed')
  })

  test('a deadline ends a running request, and one that waits', async () => {
    const alice = await stack.client('alice')
    const slow = { maxTokens: 500, tokensPerSecond: 10 }
    const running = await alice.submit('storyteller', { input: 'Once', parameters: slow, timeoutMs: 1_500 })
    const events = await alice.follow(running.requestID)
    expect(typesOf(events).slice(-1)).toEqual(['expired'])
    expect(typesOf(events)).toContain('responses')
    await stack.without('node-1', async () => {
      const waiting = await alice.submit('iris', { ...iris, timeoutMs: 1_000 })
      expect(typesOf(await alice.follow(waiting.requestID)).at(-1)).toBe('expired')
    })
  })

  test('with onDisconnect: cancel the work ends some time after its last client has gone', async () => {
    const alice = await stack.client('alice')
    const parameters = { maxTokens: 500, tokensPerSecond: 5 }
    const request = { input: 'Once', parameters, onDisconnect: 'cancel' }
    const { requestID } = await alice.submit('storyteller', request)
    const left = new AbortController()
    for await (const { id } of alice.events(requestID, { signal: left.signal })) if (id > 3) break
    left.abort()
    await stack.until(async () => (await alice.get(requestID)).status === 'cancelled')
  }, 60_000)

  test('without it the work goes on when the client has gone', async () => {
    const alice = await stack.client('alice')
    const parameters = { maxTokens: 20, tokensPerSecond: 20 }
    const { requestID } = await alice.submit('storyteller', { input: 'Once', parameters })
    for await (const { id } of alice.events(requestID)) if (id > 3) break
    await stack.until(async () => (await alice.get(requestID)).status === 'completed')
  })
})

describe('signs of life', () => {
  test('a model that yields nothing until it is done says every few seconds that it is at work', async () => {
    const alice = await stack.client('alice')
    const { requestID } = await alice.submit('counter', { input: { times: 400_000_000 } })
    for await (const { type, data } of alice.events(requestID)) {
      if (type !== 'progress') continue
      expect(Number(data.elapsedMs)).toBeLessThanOrEqual(5_000)
      break
    }
    await alice.cancel(requestID)
  }, 30_000)

  test('a request that no node can run is told so while it waits', async () => {
    await stack.without('node-1', async () => {
      const alice = await stack.client('alice')
      const { requestID } = await alice.submit('iris', iris)
      const told: unknown[] = []
      for await (const { type, data } of alice.events(requestID)) {
        told.push([type, data.position ?? data.waitingFor])
        if (told.length === 2) break
      }
      expect(told).toEqual([
        ['queued', 0],
        ['progress', 'model'],
      ])
      await alice.cancel(requestID)
    })
  }, 30_000)
})

test('the history has what the clients saw, newest first, and answers 304 when nothing is new', async () => {
  const carol = await stack.client('carol')
  const sent: string[] = []
  for (let count = 0; count < 3; count += 1) {
    const { requestID } = await carol.submit('iris', iris)
    await carol.follow(requestID)
    sent.unshift(requestID)
  }
  await stack.until(async () => {
    const { requests } = v.parse(HistoryPage, await (await carol.send('/requests')).json())
    return requests.filter(({ status }) => status === 'completed').length === 3
  })
  const response = await carol.send('/requests?limit=2')
  const page = v.parse(HistoryPage, await response.json())
  expect(page.requests.map(({ requestID }) => requestID)).toEqual(sent.slice(0, 2))
  expect(page.requests[0]).toMatchObject({
    modelID: 'iris',
    request: iris,
    responses: [{ response: { label: 'virginica' } }],
  })
  expect(response.headers.get('Cache-Control')).toBe('private, no-cache')
  const tag = response.headers.get('ETag') ?? ''
  expect((await carol.send('/requests?limit=2', { headers: { 'If-None-Match': tag } })).status).toBe(304)
  const next = v.parse(HistoryPage, await (await carol.send(`/requests?limit=2&nextCursor=${page.nextCursor}`)).json())
  expect(next.requests.map(({ requestID }) => requestID)).toEqual(sent.slice(2))
  expect(next.nextCursor).toBeNull()
  const stolen = await (await stack.client('mallory')).send(`/requests?nextCursor=${page.nextCursor}`)
  expect(stolen.status).toBe(400)
})
