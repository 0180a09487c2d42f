import { beforeEach, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { ProblemError } from '@oriel/protocol/problem'
import { Hono } from 'hono'
import { oipRoutes } from './app.ts'
import { inferDirectly } from './infer-route.ts'
import { MemoryPort } from './testing/memory-port.ts'

let port: MemoryPort
beforeEach(() => {
  port = new MemoryPort()
})

const app = new Hono().route('/v2', oipRoutes({ portOf: () => port, maxBodyBytes: 1000 }))
const get = (path: string) => app.request(path)
const post = (path: string, body: BodyInit = '', headers: Record<string, string> = {}) =>
  app.request(path, { method: 'POST', body, headers })
const row = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [0.25, 0.75] }
const infer = (request: object, headers = {}) => post('/v2/models/echo/infer', JSON.stringify(request), headers)

test('an inference is answered with its id, the model and its version', async () => {
  const answer = await infer({ id: 'a "b"', inputs: [row] })
  expect(answer.headers.get('Content-Type')).toBe('application/json')
  expect(await answer.json()).toEqual({ id: 'a "b"', model_name: 'echo', model_version: '1', outputs: [row] })
})

test('the model is named with a version in the path, or with an alias', async () => {
  const body = JSON.stringify({ inputs: [row] })
  expect((await post('/v2/models/echo/versions/1/infer', body)).status).toBe(200)
  expect((await post('/v2/models/echo@1/infer', body)).status).toBe(200)
  expect((await post('/v2/models/echo@production/infer', body)).status).toBe(404)
  expect((await post('/v2/models/echo/versions/9/infer', body)).status).toBe(404)
  expect((await post('/v2/models/none/infer', body)).status).toBe(404)
  expect((await post('/v2/models/..%2fecho/infer', body)).status).toBe(404)
})

test('an inference without the router is the same', async () => {
  const direct = inferDirectly(port, { maxBodyBytes: 1000 })
  for (const path of ['echo', 'echo/versions/1', 'echo@1', 'echo/versions/9', 'none', 'echo@1/versions/1']) {
    for (const body of [JSON.stringify({ inputs: [row] }), '{']) {
      const request = () => new Request(`http://host:1/v2/models/${path}/infer`, { method: 'POST', body })
      const [routed, short] = [await app.request(request()), await direct(request())]
      expect(short?.status).toBe(routed.status)
      expect(await short?.text()).toBe(await routed.text())
    }
  }
  expect(direct(new Request('http://host/v2/models/echo/infer'))).toBeUndefined()
  expect(direct(new Request('http://host/v2/models/echo', { method: 'POST' }))).toBeUndefined()
})

test('what is binary comes and goes behind the JSON', async () => {
  const head = JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } }],
    outputs: [{ name: 'x', parameters: { binary_data: true } }],
  })
  const values = new Uint8Array(new Float32Array([0.25, 0.75]).buffer)
  const answer = await post('/v2/models/echo/infer', new Blob([head, values]), {
    'Inference-Header-Content-Length': String(head.length),
  })
  const length = Number(answer.headers.get('Inference-Header-Content-Length'))
  const bytes = await answer.bytes()
  expect(new Float32Array(bytes.slice(length).buffer)).toEqual(new Float32Array([0.25, 0.75]))
  const { outputs } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, length)))
  expect(outputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } }])
})

test('a body without JSON is the one input', async () => {
  const answer = await post('/v2/models/echo/infer', new Float32Array([1, 2, 3]), {
    'Inference-Header-Content-Length': '0',
  })
  expect(answer.status).toBe(200)
  expect(port.calls[0]?.call.inputs).toEqual([
    { name: 'x', datatype: 'FP32', shape: [1, 3], values: new Float32Array([1, 2, 3]) },
  ])
})

test('classes are told by score, index and label', async () => {
  const outputs = [{ name: 'x', parameters: { classification: 3 } }]
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [2, 3], data: [0.5, 0.25, 1, 0, 2, 2] }]
  const answer = await (await infer({ inputs, outputs })).json()
  expect(answer.outputs).toEqual([
    {
      name: 'x',
      datatype: 'BYTES',
      shape: [2, 3],
      data: ['1.000000:2', '0.500000:0:cat', '0.250000:1:dog', '2.000000:1:dog', '2.000000:2', '0.000000:0:cat'],
    },
  ])
})

test('a packed body is unpacked, and only as far as it may be large', async () => {
  const packed = (size: number) => gzipSync(JSON.stringify({ inputs: [row], parameters: { pad: 'x'.repeat(size) } }))
  const headers = { 'Content-Encoding': 'gzip' }
  expect((await post('/v2/models/echo/infer', packed(10), headers)).status).toBe(200)
  const bomb = await post('/v2/models/echo/infer', packed(1_000_000), headers)
  expect(bomb.status).toBe(400)
  expect(await bomb.json()).toEqual({ error: 'The body may have 1000 bytes at most.' })
  expect((await post('/v2/models/echo/infer', 'not gzip', headers)).status).toBe(400)
  expect((await infer({ inputs: [row] }, { 'Content-Encoding': 'br' })).status).toBe(400)
})

test('a packed body asks before it grows beyond its length', async () => {
  const asked: number[] = []
  const limits = {
    maxBodyBytes: 100_000,
    reserve: (_request: Request, bytes: number) => {
      asked.push(bytes)
      if (bytes > 5000) throw new ProblemError({ kind: 'unavailable', detail: 'Full.' })
    },
  }
  const send = (size: number) => {
    const body = gzipSync(JSON.stringify({ inputs: [row], parameters: { pad: 'x'.repeat(size) } }))
    const headers = { 'Content-Encoding': 'gzip', 'Content-Length': String(body.byteLength) }
    const request = new Request('http://host/v2/models/echo/infer', { method: 'POST', body, headers })
    return inferDirectly(port, limits)(request)
  }
  expect((await send(1000))?.status).toBe(200)
  expect(asked.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(900)
  expect((await send(10_000))?.status).toBe(503)
})

test('null is as good as absent', async () => {
  const inputs = [{ ...row, parameters: null }]
  const outputs = [{ name: 'x', parameters: null }]
  expect((await infer({ id: null, parameters: null, inputs, outputs })).status).toBe(200)
  const answer = await (await infer({ id: null, inputs, outputs: null })).json()
  expect(answer).not.toHaveProperty('id')
})

test('64-bit integers keep every bit', async () => {
  const inputs = [
    { name: 'i', datatype: 'INT64', shape: [2], data: ['@', -1] },
    { name: 'f', datatype: 'FP64', shape: [1], data: [1e22] },
  ]
  const body = JSON.stringify({ inputs }).replace('"@"', '9223372036854775807')
  const answer = await (await post('/v2/models/echo/infer', body)).text()
  expect(answer).toContain('"data":[9223372036854775807,-1]')
  expect(answer).toContain('"data":[1e+22]')
})

test.each([
  ['no JSON', '{'],
  ['a number too large', { inputs: [{ ...row, data: [1e39, 0] }] }],
  ['null for a number', { inputs: [{ ...row, data: [null, 0] }] }],
  ['a number as text', { inputs: [{ ...row, data: ['1', 0] }] }],
  ['too few values', { inputs: [{ ...row, data: [1] }] }],
  ['a shape far too large', { inputs: [{ ...row, shape: [1e9, 1e6] }] }],
  ['a size below zero', { inputs: [{ ...row, shape: [-1, 2] }] }],
  ['nesting that is not the shape', { inputs: [{ ...row, data: [[0.25], [0.75]] }] }],
  ['BF16', { inputs: [{ ...row, datatype: 'BF16' }] }],
  ['an unknown datatype', { inputs: [{ ...row, datatype: 'FP31' }] }],
  ['no data', { inputs: [{ ...row, data: undefined }] }],
  ['data twice', { inputs: [{ ...row, parameters: { binary_data_size: 8 } }] }],
  ['one name twice', { inputs: [row, row] }],
  ['shared memory', { inputs: [{ ...row, data: undefined, parameters: { shared_memory_region: 'r' } }] }],
  ['a fraction for an integer', { inputs: [{ ...row, datatype: 'INT32' }] }],
  ['an integer out of range', { inputs: [{ ...row, datatype: 'UINT8', data: [256, 0] }] }],
  ['a number for a truth', { inputs: [{ ...row, datatype: 'BOOL', data: [1, 0] }] }],
  ['no inputs', {}],
])('%s is 400', async (_what, request) => {
  const answer = await post('/v2/models/echo/infer', typeof request === 'string' ? request : JSON.stringify(request))
  expect(answer.status).toBe(400)
  expect(Object.keys(await answer.json())).toEqual(['error'])
  expect(port.calls).toEqual([])
})

test('a timeout ends the wait, and a sequence is refused', async () => {
  port.infer = (_model, _call, signal) => new Promise((_, reject) => signal.addEventListener('abort', reject))
  expect((await infer({ inputs: [row], parameters: { timeout: 1000, priority: 2 } })).status).toBe(503)
  expect((await infer({ inputs: [row], parameters: { sequence_id: 7 } })).status).toBe(400)
})

test('a timeout is told as one, whatever the port makes of its signal', async () => {
  port.infer = (_model, _call, signal) =>
    new Promise((_, reject) => {
      const left = new ProblemError({ kind: 'unavailable', detail: 'The caller has left.' })
      signal.addEventListener('abort', () => reject(left))
    })
  const answer = await infer({ inputs: [row], parameters: { timeout: 1000 } })
  expect([answer.status, await answer.json()]).toEqual([503, { error: 'The timeout of the request is over.' }])
})

test('whoever is not allowed is told so before their body is read', async () => {
  const portOf = async () => {
    throw new ProblemError({ kind: 'unauthenticated', detail: 'Who are you?' })
  }
  const closed = new Hono().route('/v2', oipRoutes({ portOf, maxBodyBytes: 1000 }))
  const paths = ['models/echo/infer', 'models/words/generate', 'models/words/generate_stream', 'repository/index']
  for (const path of paths) {
    const request = new Request(`http://host/v2/${path}`, { method: 'POST', body: '{' })
    expect((await closed.request(request)).status).toBe(401)
    expect(request.bodyUsed).toBe(false)
  }
})

test.each(['99999', '-1', 'x', '1e3'])('a header length of %p is 400', async (length) => {
  const headers = { 'Inference-Header-Content-Length': length }
  expect((await infer({ inputs: [row] }, headers)).status).toBe(400)
})

test('unusual numbers are written so that every parser can read them', async () => {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [4], data: ['NaN', 'Infinity', '-Infinity', 0] }]
  const answer = await post('/v2/models/echo/infer', JSON.stringify({ inputs }).replace(',0]', ',-0]'))
  expect(await answer.text()).toContain('"data":["NaN","Infinity","-Infinity",-0]')
})

test('bare words for unusual numbers are read, but not inside of texts', async () => {
  const body =
    '{"inputs":[{"name":"x","datatype":"FP32","shape":[3],"data":[NaN,-Infinity,1]},{"name":"NaN\\\\\\"","datatype":"BYTES","shape":[1],"data":["Infinity \\"NaN"]}]}'
  expect((await post('/v2/models/echo/infer', body)).status).toBe(200)
  expect([...(port.calls[0]?.call.inputs[0]?.values ?? [])]).toEqual([Number.NaN, -Infinity, 1])
  expect(port.calls[0]?.call.inputs[1]).toMatchObject({ name: 'NaN\\"', values: ['Infinity "NaN'] })
})

test('metadata has the batch dimension, the configuration has not', async () => {
  expect(await (await get('/v2/models/echo')).json()).toEqual({
    name: 'echo',
    versions: ['1'],
    platform: 'onnxruntime_onnx',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, -1] }],
    outputs: [{ name: 'x', datatype: 'FP32', shape: [-1, -1] }],
  })
  expect(await (await get('/v2/models/words/config')).json()).toMatchObject({
    max_batch_size: 0,
    input: [{ name: 'text_input', data_type: 'TYPE_STRING', dims: [1] }],
    model_transaction_policy: { decoupled: true },
  })
})

test('ready is a status and a word', async () => {
  expect(await (await get('/v2/health/live')).json()).toEqual({ live: true })
  port.isReady = false
  const ready = await get('/v2/health/ready')
  expect([ready.status, await ready.json()]).toEqual([400, { ready: false }])
  expect((await get('/v2/models/echo/ready')).status).toBe(200)
  expect((await get('/v2/models/none/ready')).status).toBe(400)
})

test('models are listed, loaded and unloaded', async () => {
  const index = await post('/v2/repository/index', JSON.stringify({ ready: true }))
  expect(await index.json()).toEqual([{ name: 'echo', version: '1', state: 'READY' }])
  expect((await (await post('/v2/repository/index')).json()).length).toBe(2)
  expect((await post('/v2/repository/models/echo/unload', '{"parameters":{"unload_dependents":false}}')).status).toBe(
    200,
  )
  expect((await get('/v2/models/echo/ready')).status).toBe(400)
  expect((await post('/v2/repository/models/echo/load')).status).toBe(200)
  expect((await get('/v2/models/echo/ready')).status).toBe(200)
  expect((await post('/v2/repository/models/none/load')).status).toBe(404)
  expect((await post('/v2/repository/models/echo/load', '{"parameters":{"config":"{}"}}')).status).toBe(400)
})

test('a generation takes fields and parameters, and answers fields', async () => {
  const body = JSON.stringify({ id: '7', text_input: 'a b', parameters: { seed: 3 }, stop: 'x' })
  const answer = await post('/v2/models/words/generate', body)
  expect(await answer.json()).toEqual({ id: '7', model_name: 'words', model_version: '1', text_input: 'a b' })
  expect(port.calls[0]?.call.parameters).toEqual({ seed: 3, stop: 'x' })
})

test('a stream has an event for each part, and its failure is an event', async () => {
  const answer = await post('/v2/models/words/generate_stream', JSON.stringify({ text_input: 'a b fail' }))
  expect(answer.headers.get('Content-Type')).toBe('text/event-stream; charset=utf-8')
  const events = (await answer.text()).split('\n\n').filter(Boolean)
  expect(events).toEqual([
    'data: {"model_name":"words","model_version":"1","text_output":"a "}',
    'data: {"model_name":"words","model_version":"1","text_output":"b "}',
    'data: {"error":"It failed."}',
  ])
})

test('a stream that waits sends comments', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  port.stream = async function* (_model, { inputs }) {
    yield { model: 'words', version: '1', outputs: inputs }
    await promise
  }
  const quick = new Hono().route('/v2', oipRoutes({ portOf: () => port, maxBodyBytes: 1000, heartbeatMs: 1 }))
  const body = JSON.stringify({ text_input: 'a' })
  const answer = await quick.request('/v2/models/words/generate_stream', { method: 'POST', body })
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk)
    if (text.endsWith(':\n\n')) resolve()
  }
  expect(text).toMatch(/^data: .*\n\n(:\n\n)+$/)
})

test('a reader who leaves the stream stops it', async () => {
  const answer = await post('/v2/models/words/generate_stream', JSON.stringify({ text_input: 'a b c' }))
  await answer.body?.cancel()
  expect(port.calls[0]?.signal.aborted).toBe(true)
})

test('what fails before the first part has a status of its own', async () => {
  expect((await post('/v2/models/words/generate_stream', JSON.stringify({ text_input: 'fail' }))).status).toBe(500)
})

test('other routes are 404, and other methods 405, in the same form', async () => {
  const nowhere = await get('/v2/elsewhere')
  expect([nowhere.status, await nowhere.json()]).toEqual([404, { error: 'Not Found' }])
  const wrong = await get('/v2/models/echo/infer')
  expect([wrong.status, wrong.headers.get('Allow')]).toEqual([405, 'POST'])
  expect((await get('/v2')).status).toBe(200)
})
