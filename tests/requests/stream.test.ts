import { describe, expect, test } from 'bun:test'
import { textOf, typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()

describe('every kind of model', () => {
  test('a tensor model answers with its outputs by name', async () => {
    const alice = await stack.client('alice')
    const { requestID, status, eventsURL } = await alice.submit('iris', { input: { features: [5.1, 3.5, 1.4, 0.2] } })
    expect(['accepted', 'queued', 'started', 'completed']).toContain(status)
    expect(eventsURL).toStartWith(stack.url)
    const events = await alice.follow(requestID)
    expect(typesOf(events)).toEqual(['queued', 'started', 'responses', 'completed'])
    expect(events[2]?.data.response).toMatchObject({ label: 'setosa', probabilities: expect.any(Array) })
  })

  test('a classifier answers with a label and scores', async () => {
    const alice = await stack.client('alice')
    const { requestID } = await alice.submit('sentiment', { input: 'What a wonderful evening, I loved it.' })
    const answer = (await alice.follow(requestID)).find(({ type }) => type === 'responses')
    expect(answer?.data.response).toMatchObject({ label: 'positive', scores: { positive: expect.any(Number) } })
  })

  test('a generator streams its text, and the same seed gives the same text', async () => {
    const alice = await stack.client('alice')
    const ask = async () => {
      const parameters = { maxTokens: 24, seed: 7, tokensPerSecond: 60 }
      const { requestID } = await alice.submit('storyteller', { input: 'Once upon a time', parameters })
      return alice.follow(requestID)
    }
    const [first, second] = await Promise.all([ask(), ask()])
    expect(first.filter(({ type }) => type === 'responses').length).toBeGreaterThan(5)
    expect(textOf(first).length).toBeGreaterThan(10)
    expect(textOf(second)).toBe(textOf(first))
    expect(first.map(({ id }) => id)).toEqual(first.map((_, index) => index + 1))
    expect(JSON.stringify(first)).not.toContain('tokens')
  })
})

describe('one request, many readers', () => {
  test('ten clients on one request get the same events', async () => {
    const alice = await stack.client('alice')
    const parameters = { maxTokens: 30, seed: 1, tokensPerSecond: 40 }
    const { requestID } = await alice.submit('storyteller', { input: 'The little fox', parameters })
    const all = await Promise.all(Array.from({ length: 10 }, () => alice.follow(requestID)))
    for (const events of all) expect(events).toEqual(all[0] ?? [])
    expect(typesOf(all[0] ?? []).at(-1)).toBe('completed')
  })

  test('resumed after a cut at every event, live and later, the stream is byte for byte the same', async () => {
    const alice = await stack.client('alice')
    const parameters = { maxTokens: 12, seed: 2, tokensPerSecond: 12 }
    const { requestID } = await alice.submit('storyteller', { input: 'Anna found a', parameters })
    // Live: a client for each place, which leaves there and comes back.
    const whole = alice.open(requestID).then((response) => response.text())
    const cut = async (places: number) => {
      const left = new AbortController()
      let seen = 0
      try {
        for await (const { id } of alice.events(requestID, { signal: left.signal })) {
          seen = id
          if (id === places) left.abort()
        }
      } catch (error) {
        if (!left.signal.aborted) throw error
      }
      return { seen, rest: await (await alice.open(requestID, { after: seen })).text() }
    }
    const cuts = await Promise.all(Array.from({ length: 14 }, (_, index) => cut(index + 1)))
    const text = await whole
    for (const { seen, rest } of cuts) expect(eventsOf(rest)).toBe(eventsAfter(text, seen))
    // Later: from the log, after every event there is.
    const last = (await alice.get(requestID)).lastEventID
    for (let after = 0; after < last; after += 1) {
      const rest = await (await alice.open(requestID, { after })).text()
      expect(rest).toBe(`retry: 500\n\n${eventsAfter(text, after)}`)
    }
  })

  test('after the last event there is nothing to come: 204', async () => {
    const alice = await stack.client('alice')
    const { requestID } = await alice.submit('iris', { input: { features: [1, 2, 3, 4] } })
    const events = await alice.follow(requestID)
    expect((await alice.open(requestID, { after: events.length })).status).toBe(204)
  })

  test('a Last-Event-ID that was never issued is refused, while it runs and after', async () => {
    const alice = await stack.client('alice')
    const parameters = { maxTokens: 10, tokensPerSecond: 10 }
    const { requestID } = await alice.submit('storyteller', { input: 'A cat', parameters })
    for (const when of ['running', 'ended']) {
      for (const after of [999, '-1', '1.5', 'x']) {
        const response = await alice.open(requestID, { after })
        expect([when, after, response.status]).toEqual([when, after, 400])
        expect(await response.json()).toMatchObject({ type: 'urn:oriel:problem:invalid-event-id' })
      }
      await alice.follow(requestID)
    }
  })
})

describe('as a browser', () => {
  test('the events URL needs no header, and opens nothing else', async () => {
    const alice = await stack.client('alice')
    const { requestID, eventsURL } = await alice.submit('iris', { input: { features: [1, 2, 3, 4] } })
    const other = await alice.submit('iris', { input: { features: [1, 2, 3, 4] } })
    const response = await fetch(eventsURL, { headers: { Origin: 'https://page.example' } })
    expect(response.status).toBe(200)
    expect(response.headers.get('Content-Type')).toStartWith('text/event-stream')
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*')
    expect(await response.text()).toContain('event: completed')
    const token = new URL(eventsURL).searchParams.get('token')
    const elsewhere = await fetch(`${stack.url}/requests/${other.requestID}/events?token=${token}`)
    expect(elsewhere.status).toBe(401)
    const request = await fetch(`${stack.url}/requests/${requestID}`, { headers: { Authorization: `Bearer ${token}` } })
    expect(request.status).toBe(401)
  })
})

/** The events of a stream without its opening line and heartbeats. */
const eventsOf = (text: string) =>
  text
    .split('\n\n')
    .filter((block) => block.startsWith('id: '))
    .map((block) => `${block}\n\n`)
    .join('')

const eventsAfter = (text: string, after: number) =>
  eventsOf(text)
    .split(/(?<=\n\n)/)
    .filter((block) => Number(/^id: (\d+)/.exec(block)?.[1]) > after)
    .join('')
