import { beforeAll, expect, test } from 'bun:test'
import { jetstream } from '@nats-io/jetstream'
import { newRequestId } from '@oriel/protocol/ids'
import { deadSubject } from '@oriel/protocol/subjects'
import fc from 'fast-check'
import * as v from 'valibot'
import { type Client, typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'
import { type Answer, faultsOf } from './answer.ts'
import { brokenOf, fitting } from './schema-arbitrary.ts'

// Every operation of the API's own description, with input that is right, nearly right, and wrong. The seed is fixed
// so that the suite says the same every time; ORIEL_FUZZ_SEED=random looks somewhere else.
const { ORIEL_FUZZ_SEED = '20261121', ORIEL_FUZZ_RUNS = '200' } = process.env
const seed = ORIEL_FUZZ_SEED === 'random' ? Date.now() % 2 ** 31 : Number(ORIEL_FUZZ_SEED)
const numRuns = Number(ORIEL_FUZZ_RUNS)

const stack = useStack()
const CANARY = 'the-canary-of-the-victim'
const iris = { input: { features: [5.1, 3.5, 1.4, 0.2] } }

const Parameter = v.object({ name: v.string(), in: v.picklist(['path', 'query', 'header']), schema: v.unknown() })
const Operation = v.object({
  parameters: v.optional(v.array(Parameter), []),
  requestBody: v.optional(v.object({ content: v.record(v.string(), v.object({ schema: v.unknown() })) })),
  responses: v.record(v.string(), v.unknown()),
})
const Document = v.object({
  paths: v.record(v.string(), v.record(v.string(), Operation)),
  components: v.object({ schemas: v.record(v.string(), v.unknown()) }),
})

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: Uint8Array<ArrayBuffer> | undefined
}

let document: v.InferOutput<typeof Document>
let tokens: string[]
let mallory: Client
let ids: string[]

beforeAll(async () => {
  const victim = await stack.client('victim')
  const { requestID } = await victim.submit('sentiment', { input: CANARY, requestID: 'of-the-victim' })
  await victim.follow(requestID)
  mallory = await stack.client('mallory', 'models')
  const own = await mallory.submit('iris', iris)
  await mallory.follow(own.requestID)
  // A model for whatever is sent to the name that stands for a missing one.
  const body = JSON.stringify({ name: 'r1' })
  await mallory.send('/models', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })
  // For the operator, and nobody else.
  const letters = Array.from({ length: 5 }, () => newRequestId(Date.now()))
  const dead = { at: 1, node: 'node-1', deliveries: 1, problem: { kind: 'internal', detail: 'Made by hand.' } }
  const nc = await stack.stack.nats('admin')
  for (const id of letters) {
    await jetstream(nc).publish(deadSubject('iris', id), JSON.stringify({ ...dead, attempts: [] }))
  }
  await nc.close()
  ids = [...letters, requestID, own.requestID, '..', '%2e%2e', 'a%00b', '%ff', 'a b', 'x'.repeat(65)]
  tokens = [
    mallory.token,
    (await stack.client('olga', 'admin')).token,
    await stack.stack.token('trent'),
    await stack.stack.token('mallory', { lifetimeS: -60 }),
  ]
  document = v.parse(Document, await (await fetch(`${stack.url}/openapi.json`)).json())
}, 180_000)

const text = fc.string({ unit: 'binary', maxLength: 60 })

function authorization(): fc.Arbitrary<string | undefined> {
  const [own = '', operator = '', ...others] = tokens
  const bearer = (token: string) => `Bearer ${token}`
  return fc.oneof(
    { arbitrary: fc.constant(bearer(own)), weight: 8 },
    { arbitrary: fc.constant(bearer(operator)), weight: 4 },
    fc.constantFrom(...others.map(bearer), bearer(`${own}x`), bearer('a.b.c'), 'Basic eDp5', 'Bearer', undefined),
  )
}

function bodies(schema: unknown): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const models = fc.constantFrom('iris', 'sentiment', 'storyteller', 'nothing')
  const inputs = fc.oneof(fc.constant(iris.input), fc.string(), fc.jsonValue({ maxDepth: 3 }))
  const parameters = fc.oneof(fc.constant({ maxTokens: 2 }), fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 })))
  const known = { modelID: models, input: inputs, parameters, requestID: fc.constantFrom('r1', 'r2', 'of-the-victim') }
  const right = fitting(schema, document.components.schemas, known)
  const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value) ?? '')
  const whole = fc.oneof(right, brokenOf(right)).map(encode)
  const cut = fc.tuple(whole, fc.nat()).map(([bytes, at]) => bytes.slice(0, at % (bytes.length + 1)))
  const spoilt = fc.tuple(whole, fc.nat(), fc.nat(255)).map(([bytes, at, byte]) => {
    if (bytes.length > 0) bytes[at % bytes.length] = byte
    return bytes
  })
  const deep = fc.constantFrom('['.repeat(50_000), `{"modelID":${'{"a":'.repeat(10_000)}`, '\ufeff{}', '1e99999', '""')
  const raw = fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((bytes) => new Uint8Array(bytes)),
    deep.map((body) => new TextEncoder().encode(body)),
  )
  return fc.oneof({ arbitrary: whole, weight: 6 }, cut, spoilt, raw)
}

function calls(path: string, method: string, operation: v.InferOutput<typeof Operation>): fc.Arbitrary<Sent> {
  const { parameters, requestBody } = operation
  const given = parameters.map(({ name, in: where, schema }) => {
    const right = fitting(schema, document.components.schemas).map(String)
    // A path takes what stands in it; elsewhere anything may come.
    const values =
      where === 'path' ? fc.oneof(fc.constantFrom(...ids), right, text.map(encodeURIComponent)) : fc.oneof(right, text)
    return fc.record({ name: fc.constant(name), where: fc.constant(where), value: fc.option(values, { freq: 4 }) })
  })
  const type = fc.constantFrom('application/json', 'application/json; charset=utf-16', 'text/plain', 'application/JSON')
  const schema = requestBody && Object.values(requestBody.content)[0]?.schema
  return fc
    .record({
      given: fc.tuple(...given),
      extra: fc.option(fc.tuple(text, text), { freq: 6 }),
      bearer: authorization(),
      type: fc.oneof({ arbitrary: fc.constant('application/json'), weight: 9 }, type),
      body: schema ? fc.option(bodies(schema), { nil: undefined, freq: 20 }) : fc.constant(undefined),
    })
    .map(({ given, extra, bearer, type, body }) => {
      const headers: Record<string, string> = { 'Content-Type': type, ...(bearer && { Authorization: bearer }) }
      const query = new URLSearchParams(extra ? [extra] : [])
      let place = path
      for (const { name, where, value } of given) {
        if (where === 'path') place = place.replace(`{${name}}`, () => value ?? 'r1')
        else if (value !== null && where === 'query') query.append(name, value)
        else if (value !== null) headers[name] = encodeURIComponent(value)
      }
      return { method: method.toUpperCase(), path: query.size > 0 ? `${place}?${query}` : place, headers, body }
    })
}

/** What comes within a second: a stream of events may last for as long as its request. */
async function send({ method, path, headers, body }: Sent): Promise<Answer> {
  const leave = new AbortController()
  const response = await fetch(`${stack.url}${path}`, { method, headers, body: body ?? null, signal: leave.signal })
  const timer = setTimeout(() => leave.abort(), 1_000)
  let text = ''
  try {
    for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk)
  } catch (error) {
    if (!leave.signal.aborted) throw error
  }
  clearTimeout(timer)
  return { status: response.status, contentType: response.headers.get('Content-Type') ?? '', text }
}

test('no operation answers with a bug, with what is inside, or with what is another user’s', async () => {
  const statuses = new Map<string, Set<number>>()
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const name = `${method.toUpperCase()} ${path}`
      const seen = new Set<number>()
      statuses.set(name, seen)
      const one = fc.asyncProperty(calls(path, method, operation), async (sent) => {
        const answer = await send(sent)
        seen.add(answer.status)
        const said = `${sent.path} ${new TextDecoder().decode(sent.body)}`
        // Health is no refusal: it says what is away in words of its own.
        if (!path.endsWith('readyz')) expect(faultsOf(answer, [CANARY], decodeURIComponentSafely(said))).toEqual([])
        expect(answer.status, `${name}: ${answer.text}`).not.toBe(500)
      })
      await fc.assert(one, { seed, numRuns, endOnFailure: true })
    }
  }
  // It came past the door: a test in which everything is refused would show nothing.
  const refused = [...statuses].filter(([, seen]) => [...seen].every((status) => status === 401 || status === 403))
  expect(refused).toEqual([])
  expect(statuses.get('GET /dead-letters/{id}')).toContain(200)
  expect(statuses.get('DELETE /dead-letters/{id}')).toContain(204)
  expect(statuses.get('POST /dead-letters/requeue')).toContain(200)
  expect(statuses.get('POST /requests')).toContain(202)
  expect(statuses.get('POST /requests')).toContain(400)
  expect(statuses.get('GET /requests/{id}')).toContain(200)
  expect(statuses.get('GET /requests/{id}')).toContain(404)
  expect(statuses.get('POST /models/{name}/versions')).toContain(201)
  const { requestID } = await mallory.submit('iris', iris)
  expect(typesOf(await mallory.follow(requestID)).at(-1)).toBe('completed')
}, 180_000)

function decodeURIComponentSafely(text: string): string {
  try {
    return `${text} ${decodeURIComponent(text)}`
  } catch {
    return text
  }
}
