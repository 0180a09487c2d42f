import { afterEach, expect, test } from 'bun:test'
import { MemoryPort } from '@oriel/oip/testing/memory-port'
import { Admission } from './admission.ts'
import { type HttpServer, startHttp } from './http-server.ts'

let server: HttpServer | undefined
afterEach(() => server?.drain(0))

const MODEL = '/v2/models/words'

/** A server that takes one request at a time, over a model that writes for as long as it is let. */
function setUp() {
  const inference = new MemoryPort()
  const goOn = Promise.withResolvers<void>()
  inference.stream = async function* (model, call, signal) {
    yield inference.infer(model, call, signal)
    await goOn.promise
  }
  const left = Promise.withResolvers<void>()
  const admission = new Admission(1, 1_000_000)
  const leave = admission.leave.bind(admission)
  admission.leave = (bytes) => {
    leave(bytes)
    left.resolve()
  }
  const metrics = { contentType: 'text/plain', text: async () => '' }
  const started = startHttp({ port: 0, hostname: '127.0.0.1', inference, admission, maxBodyBytes: 1000, metrics })
  server = started
  const post = (route: string) =>
    fetch(`${started.url}${MODEL}/${route}`, { method: 'POST', body: JSON.stringify({ text_input: 'a' }) })
  return { post, admission, left: left.promise, goOn: goOn.resolve }
}

test('a stream counts as a request until it has ended', async () => {
  const { post, admission, goOn } = setUp()
  const stream = await post('generate_stream')
  expect(stream.status).toBe(200)
  expect(admission.requests).toBe(1)
  expect((await post('generate')).status).toBe(503)
  goOn()
  expect(await stream.text()).toContain('data: ')
  expect(admission.requests).toBe(0)
  expect((await post('generate')).status).toBe(200)
  expect(admission.requests).toBe(0)
})

test('a stream counts no more when its reader has left', async () => {
  const { post, admission, left } = setUp()
  const stream = await post('generate_stream')
  expect(admission.requests).toBe(1)
  await stream.body?.cancel()
  await left
  expect(admission.requests).toBe(0)
})
