import { expect, test } from 'bun:test'
import { typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

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
    const history = await alice.send('/requests')
    expect(history.status).toBe(503)
    expect(history.headers.get('Retry-After')).toBeTruthy()
    expect(await history.json()).toMatchObject({ type: 'urn:oriel:problem:unavailable' })
    expect((await fetch(`${stack.url}/readyz`)).status).toBe(503)
  })
  await stack.until(async () => {
    const response = await alice.send('/requests')
    if (response.status !== 200) return false
    const { requests } = (await response.json()) as { requests: { requestID: string; status: string }[] }
    const done = requests.filter(({ status }) => status === 'completed').map(({ requestID }) => requestID)
    return JSON.stringify(done) === JSON.stringify(sent)
  })
}, 90_000)
