import { expect, test } from 'bun:test'
import { HistoryPage } from '@oriel/protocol/api'
import { newRequestId } from '@oriel/protocol/ids'
import * as v from 'valibot'
import { useStack } from '../support/stack.ts'

const stack = useStack()

test('a thousand requests of the same millisecond are each on one page, and each once', async () => {
  const dora = await stack.client('dora')
  const sentAt = Date.now()
  const ids = Array.from({ length: 1_000 }, () => newRequestId(sentAt))
  await stack.record(
    ids.map((id) => ({
      id,
      user: 'dora',
      requestID: id,
      model: 'iris',
      version: '1',
      request: { input: { features: [1, 2, 3, 4] } },
      bodyHash: '0'.repeat(64),
      deadlineAt: sentAt + 1_000,
    })),
  )
  const page = async (cursor: string) =>
    v.parse(HistoryPage, await (await dora.send(`/requests?limit=77&nextCursor=${cursor}`)).json())
  await Promise.all([ids[0], ids.at(-1)].map((id) => stack.recorded('dora', id ?? '')))
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { requests, nextCursor } = await page(cursor)
    seen.push(...requests.map(({ requestID }) => requestID))
    cursor = nextCursor
  }
  expect(seen).toEqual([...ids].sort().reverse())
}, 60_000)

test('a request that only the record knows streams, answers, and cannot be cancelled or sent again as another', async () => {
  const erin = await stack.client('erin')
  const { requestID } = await erin.submit('iris', { input: { features: [1, 2, 3, 4] }, requestID: 'old' })
  const live = await (await erin.open(requestID)).text()
  await stack.recorded('erin', 'old')
  await stack.forgetActors()
  expect(await (await erin.open('old')).text()).toBe(live)
  expect(await (await erin.open('old', { after: 2 })).text()).not.toContain('id: 2\n')
  expect((await erin.open('old', { after: 4 })).status).toBe(204)
  expect((await erin.open('old', { after: 5 })).status).toBe(400)
  expect(await erin.get('old')).toMatchObject({ status: 'completed', lastEventID: 4 })
  expect(await (await erin.cancel('old')).json()).toMatchObject({ status: 'completed' })
  expect((await erin.submit('iris', { input: { features: [1, 2, 3, 4] }, requestID: 'old' })).status).toBe('completed')
  expect((await erin.post('iris', { input: { features: [9, 9, 9, 9] }, requestID: 'old' })).status).toBe(409)
}, 60_000)
