import { describe, expect, test } from 'bun:test'
import { Allowances } from './allowances.ts'
import { createApp } from './app.ts'
import { FullQueues } from './full-queues.ts'
import { Identity } from './identity.ts'
import { ModelCache } from './model-cache.ts'
import type { Platform } from './platform.ts'
import { irisOffer, noKeys, settings, tokenFor } from './testing.ts'

// The edge alone: what it refuses before any actor is asked. The rest is tested on the running stack.
const asked: string[] = []
const nobody = () => {
  asked.push('platform')
  throw new Error('postgres://user:secret@host')
}
const platform: Platform = {
  identity: new Identity(settings, noKeys),
  fullQueues: new FullQueues(),
  models: new ModelCache(() => ({
    ...({} as ReturnType<Platform['relay']>),
    model: async (name) => ({ ok: true, offer: name === 'iris' ? irisOffer : undefined }),
  })),
  keyRing: noKeys,
  corsOrigins: ['https://page.example'],
  relay: nobody,
  relays: () => [],
  actor: nobody,
  user: nobody,
  history: nobody,
  keys: nobody,
  predictions: nobody,
  allowances: new Allowances(nobody),
  registry: nobody,
  aliases: nobody,
  uploads: nobody,
  blobs: nobody,
  nodeToken: settings.NODE_TOKEN,
}
const app = createApp(() => platform)
const token = await tokenFor({})

async function send(method: string, path: string, body?: BodyInit, headers: Record<string, string> = {}) {
  const init = { method, headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...headers } }
  const response = await app.request(path, body === undefined ? init : { ...init, body })
  return { response, text: await response.text() }
}

const features = { features: [1, 2, 3, 4] }
const submission = (request: object, modelID = 'iris') => JSON.stringify({ modelID, request })

describe('every refusal is problem+json, says what to do, and repeats nothing', () => {
  test.each([
    ['not JSON', () => send('POST', '/requests', '{"hunter2'), 400, 'not JSON'],
    ['another type', () => send('POST', '/requests', 'a=1', { 'Content-Type': 'text/plain' }), 400, 'Content-Type'],
    ['wrong types', () => send('POST', '/requests', '{"modelID":7,"request":[]}'), 400, 'modelID'],
    [
      'a parameter with a name that objects have',
      () =>
        send(
          'POST',
          '/requests',
          '{"modelID":"iris","request":{"input":{"features":[1,2,3,4]},"parameters":{"constructor":1}}}',
        ),
      400,
      'constructor',
    ],
    ['a misspelt option', () => send('POST', '/requests', submission({ input: features, timeout: 1 })), 400, 'timeout'],
    [
      'a bad request id',
      () => send('POST', '/requests', submission({ input: features, requestID: 'a b' })),
      400,
      'requestID',
    ],
    [
      'a timeout of years',
      () => send('POST', '/requests', submission({ input: features, timeoutMs: 1e12 })),
      400,
      'timeoutMs',
    ],
    [
      'deep nesting',
      () => send('POST', '/requests', submission({ input: JSON.parse('['.repeat(99) + ']'.repeat(99)) })),
      400,
      'nested',
    ],
    ['an unknown model', () => send('POST', '/requests', submission({ input: features }, 'irs')), 404, 'no model irs'],
    [
      'an unknown parameter',
      () => send('POST', '/requests', submission({ input: features, parameters: { tpo: 1 } })),
      422,
      'tpo',
    ],
    [
      'an input of another form',
      () => send('POST', '/requests', submission({ input: { features: ['hunter2'] } })),
      422,
      'features',
    ],
    ['too large a body', () => send('POST', '/requests', submission({ input: 'x'.repeat(1_000_000) })), 413, '1000000'],
    ['no token', () => send('GET', '/requests', undefined, { Authorization: '' }), 401, 'Authorization'],
    ['an unknown route', () => send('GET', '/nowhere'), 404, 'openapi.json'],
    ['a request id that cannot be', () => send('GET', '/requests/a%20b'), 404, 'no such request'],
    ['another method', () => send('PUT', '/requests'), 405, 'GET'],
    ['a page of nothing', () => send('GET', '/requests?limit=0'), 400, 'limit'],
    ['a limit that is no number', () => send('GET', '/requests?limit=all'), 400, 'limit'],
    [
      'an event id that is no number',
      () => send('GET', '/requests/r1/events', undefined, { 'Last-Event-ID': '-1' }),
      400,
      'Last-Event-ID',
    ],
    ['an after that is no number', () => send('GET', '/requests/r1?after=x'), 400, 'after'],
    ['a bug', () => send('GET', '/requests/r1'), 500, 'unexpected'],
  ])('%s', async (_what, act, status, hint) => {
    const { response, text } = await act()
    expect(response.status).toBe(status)
    expect(response.headers.get('Content-Type')).toBe('application/problem+json')
    expect(JSON.parse(text)).toMatchObject({ status })
    expect(JSON.parse(text).detail).toContain(hint)
    expect(text).not.toMatch(/hunter2|secret/)
  })
})

test('a body with a chunked length is measured as it comes', async () => {
  const body = new ReadableStream({
    start(controller) {
      for (let part = 0; part < 20; part += 1) controller.enqueue(new TextEncoder().encode('x'.repeat(100_000)))
      controller.close()
    },
  })
  const { response } = await send('POST', '/requests', body)
  expect(response.status).toBe(413)
})

test.each([{}, { 'Content-Length': '100' }])('a body that breaks off is the caller’s mistake (%o)', async (headers) => {
  const body = new ReadableStream({
    pull(controller) {
      controller.error(new Error('the connection broke'))
    },
  })
  const { response, text } = await send('POST', '/requests', body, headers)
  expect(response.status).toBe(400)
  expect(JSON.parse(text).detail).toContain('read to its end')
})

test('401 says how to authenticate, 405 what is allowed', async () => {
  expect(
    (await send('GET', '/requests', undefined, { Authorization: 'Bearer x' })).response.headers.get('WWW-Authenticate'),
  ).toBe('Bearer')
  expect((await send('PUT', '/requests')).response.headers.get('Allow')).toContain('POST')
})

test('nobody reads the body of a prediction whose sender is unknown', async () => {
  for (const path of ['infer', 'generate', 'generate_stream']) {
    const { response, text } = await send('POST', `/v2/models/iris/${path}`, '{', { Authorization: '' })
    expect(response.status).toBe(401)
    expect(text).toContain('Authorization')
  }
})

test('pages of configured origins may call, others may not', async () => {
  const origin = async (Origin: string) =>
    (
      await send('OPTIONS', '/requests', undefined, { Origin, 'Access-Control-Request-Method': 'POST' })
    ).response.headers.get('Access-Control-Allow-Origin')
  expect(await origin('https://page.example')).toBe('https://page.example')
  expect(await origin('https://evil.example')).toBeNull()
})

test('pages may send and read tensors in binary', async () => {
  const Origin = 'https://page.example'
  const asked = await send('OPTIONS', '/v2/models/iris/infer', undefined, {
    Origin,
    'Access-Control-Request-Method': 'POST',
  })
  expect(asked.response.headers.get('Access-Control-Allow-Headers')).toContain('Inference-Header-Content-Length')
  const { response } = await send('GET', '/v2', undefined, { Origin })
  expect(response.headers.get('Access-Control-Expose-Headers')).toContain('Inference-Header-Content-Length')
})

test('the description of the API is made from its schemas', async () => {
  const { response, text } = await send('GET', '/openapi.json')
  expect(response.status).toBe(200)
  const document = JSON.parse(text)
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths)).toEqual([
    '/requests',
    '/requests/{id}',
    '/requests/{id}/events',
    '/models',
    '/models/{name}/aliases',
    '/models/{name}/aliases/{alias}',
    '/registry',
    '/models/{name}/versions',
    '/models/{name}/versions/{version}',
    '/models/{name}',
    '/uploads',
    '/uploads/{sha256}',
    '/uploads/{sha256}/parts/{number}',
    '/uploads/{sha256}/complete',
    '/artifacts/{sha256}',
    '/models/{name}/predict',
    '/predictions',
    '/predictions/{id}',
    '/keys',
    '/keys/{id}',
    '/dead-letters',
    '/dead-letters/requeue',
    '/dead-letters/{id}',
    '/dead-letters/{id}/requeue',
    '/healthz',
    '/readyz',
  ])
  expect(document.components.schemas.Submission.properties.request.properties.timeoutMs).toMatchObject({
    type: 'integer',
    minimum: 1,
  })
  for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) {
    expect(document.components.schemas).toHaveProperty(name ?? '')
  }
})
