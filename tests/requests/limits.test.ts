import { expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { HistoryPage } from '@oriel/protocol/api'
import * as v from 'valibot'
import type { Client } from '../support/client.ts'
import { typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({
  edgeEnv: { LIMIT_PER_SECOND: '1', LIMIT_BURST: '8', LIMIT_CONCURRENT: '3', LIMIT_BYTES_PER_DAY: '4000' },
})
const iris = { input: { features: [5.1, 3.5, 1.4, 0.2] } }
const endless = { input: 'Once', parameters: { maxTokens: 500, tokensPerSecond: 1 } }

async function historyOf(client: Client): Promise<string[]> {
  const { requests } = v.parse(HistoryPage, await (await client.send('/requests?limit=100')).json())
  return requests.map(({ requestID }) => requestID)
}

/** On a busy machine the limiter may answer too late to refuse; what it lets through it counts all the same. */
async function untilRefused(client: Client, modelID: string, request: object): Promise<Response> {
  for (;;) {
    const response = await client.post(modelID, request)
    if (response.status !== 202) return response
  }
}

test('over the rate a request is refused and leaves nothing; a repeat is answered; after a while it goes on', async () => {
  const rita = await stack.client('rita')
  const sent: string[] = []
  const told: string[] = []
  let refused: Response
  for (let count = 0; ; count += 1) {
    const requestID = `r${count}`
    refused = await rita.post('iris', { ...iris, requestID })
    if (refused.status !== 202) break
    told.push(refused.headers.get('RateLimit') ?? 'late')
    sent.unshift(requestID)
    await rita.follow(requestID)
  }
  expect(sent.length).toBeGreaterThanOrEqual(8)
  expect(told).toContainEqual(
    expect.stringMatching(/^"rate";r=[0-7];t=[1-8], "concurrent";r=[0-2], "bytes";r=\d+;t=\d+$/),
  )
  expect(refused.status).toBe(429)
  expect(refused.headers.get('Retry-After')).toBe('1')
  expect(refused.headers.get('RateLimit-Policy')).toContain('"rate";q=8;w=8')
  expect(refused.headers.get('RateLimit')).toContain('"rate";r=0;t=')
  expect(refused.headers.get('Access-Control-Expose-Headers')).toContain('RateLimit')
  expect(await refused.json()).toMatchObject({ type: 'urn:oriel:problem:limit-exceeded', status: 429 })
  expect((await rita.send(`/requests/r${sent.length}`)).status).toBe(404)
  expect(await historyOf(rita)).toEqual(sent)
  // Were repeats counted, some of these would be refused: the bucket gives one a second.
  const again = await Promise.all(sent.map((requestID) => rita.post('iris', { ...iris, requestID })))
  expect(again.map(({ status }) => status)).toEqual(sent.map(() => 202))
  await stack.until(async () => (await rita.post('iris', { ...iris, requestID: 'later' })).status === 202)
}, 60_000)

test('requests at once are limited; one that ends makes room', async () => {
  const carl = await stack.client('carl')
  const [first] = await Promise.all([1, 2, 3].map(() => carl.submit('storyteller', endless)))
  const refused = await untilRefused(carl, 'iris', iris)
  expect(refused.status).toBe(429)
  expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('under way') })
  const events = carl.follow(first?.requestID ?? '')
  await carl.cancel(first?.requestID ?? '')
  expect(typesOf(await events).at(-1)).toBe('cancelled')
  await stack.until(async () => (await carl.post('iris', iris)).status === 202)
  for (const requestID of await historyOf(carl)) await carl.cancel(requestID)
}, 60_000)

test('the bytes of a day are limited; another user has their own', async () => {
  const [bert, gina] = await Promise.all([stack.client('bert'), stack.client('gina')])
  const long = { input: 'It was fine. '.repeat(180) }
  await bert.follow((await bert.submit('sentiment', long)).requestID)
  const refused = await untilRefused(bert, 'sentiment', long)
  expect(refused.status).toBe(429)
  const left = Number(refused.headers.get('Retry-After'))
  expect(left).toBeGreaterThan(0)
  expect(left).toBeLessThanOrEqual(86_400)
  expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('day') })
  expect((await bert.post('iris', iris)).status).toBe(202)
  expect((await gina.post('sentiment', long)).status).toBe(202)
}, 60_000)

test('the limits outlive a crash of the edge, and ends that were never told give their places back', async () => {
  const hugo = await stack.client('hugo')
  // What these end as, nobody will hear: their actors are lost with all they knew.
  await Promise.all([1, 2, 3].map(() => hugo.submit('storyteller', { ...endless, timeoutMs: 2_000 })))
  await stack.stack.stopPart('edge')
  rmSync(join(stack.stack.stateDir, 'edge/workerd/oriel-RequestActor'), { recursive: true })
  await stack.stack.startPart('edge')
  await stack.stack.ready()
  expect((await untilRefused(hugo, 'iris', iris)).status).toBe(429)
  await stack.until(async () => (await hugo.post('iris', iris)).status === 202)
}, 90_000)
