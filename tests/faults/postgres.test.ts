import { expect, test } from 'bun:test'
import { typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

interface History {
  requests: { requestID: string; status: string }[]
  nextCursor: string | null
}

const stack = useStack()

test('Postgres stopped for a while: predictions do not notice, the history says so, and catches up', async () => {
  const alice = await stack.client('alice')
  const iris = { input: { features: [5.1, 3.5, 1.4, 0.2] } }
  const sent: string[] = []
  await stack.without('postgres', async () => {
    for (const requestID of [undefined, 'mine', undefined]) {
      const answer = await alice.submit('iris', { ...iris, ...(requestID && { requestID }) })
      sent.unshift(answer.requestID)
      expect(typesOf(await alice.follow(answer.requestID)).at(-1)).toBe('completed')
    }
    // What is recent is told by the actors; what came before it is the record's alone.
    const history = await alice.send('/requests')
    const { requests, nextCursor } = (await history.json()) as History
    expect(requests.map(({ requestID, status }) => `${requestID} ${status}`)).toEqual(
      sent.map((id) => `${id} completed`),
    )
    const older = await alice.send(`/requests?nextCursor=${nextCursor}`)
    expect(older.status).toBe(503)
    expect(older.headers.get('Retry-After')).toBeTruthy()
    expect(await older.json()).toMatchObject({ type: 'urn:oriel:problem:unavailable' })
    expect((await fetch(`${stack.url}/readyz`)).status).toBe(503)
  })
  await stack.until(async () => {
    const response = await alice.send('/requests')
    if (response.status !== 200) return false
    const { requests } = (await response.json()) as History
    const done = requests.filter(({ status }) => status === 'completed').map(({ requestID }) => requestID)
    return JSON.stringify(done) === JSON.stringify(sent)
  })
}, 90_000)
