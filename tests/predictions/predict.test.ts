import { describe, expect, test } from 'bun:test'
import { PredictionAnswer, PredictionList, PredictionView } from '@oriel/protocol/api'
import * as v from 'valibot'
import { textOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({ models: ['counter', 'wide', 'damaged', 'moody'] })

const FLOWER = { features: [5.1, 3.5, 1.4, 0.2] }

async function predict(model: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const client = await stack.client('alice')
  return client.send(`/models/${model}/predict`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  })
}

async function made(model: string, body: unknown): Promise<PredictionAnswer> {
  const response = await predict(model, body)
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
  return v.parse(PredictionAnswer, await response.json())
}

async function problem(response: Promise<Response>) {
  const { status, headers, ...rest } = await response
  void rest
  const body = v.parse(v.object({ type: v.string(), detail: v.string() }), await (await response).json())
  return { status, kind: body.type.replace('urn:oriel:problem:', ''), retryAfter: headers.get('Retry-After') }
}

/** What a request would answer. */
async function requested(model: string, input: unknown, parameters = {}) {
  const client = await stack.client('alice')
  const { requestID } = await client.submit(model, { input, parameters })
  return client.follow(requestID)
}

describe('a prediction in the plain form', () => {
  test('of a tensor model is what a request would answer', async () => {
    const answer = await made('iris', { inputs: FLOWER })
    expect(answer).toMatchObject({ modelID: 'iris', version: '1' })
    const responses = (await requested('iris', FLOWER)).filter(({ type }) => type === 'responses')
    expect(answer.outputs).toEqual(responses[0]?.data.response)
  })

  test('of a text is what a request would answer', async () => {
    const { outputs } = await made('sentiment', { inputs: 'I love this' })
    const responses = (await requested('sentiment', 'I love this')).filter(({ type }) => type === 'responses')
    expect(outputs).toEqual(responses[0]?.data.response)
  })

  test('of a generator is its whole text', async () => {
    const parameters = { maxTokens: 12, seed: 7 }
    const { outputs } = await made('storyteller', { inputs: 'The cat', parameters })
    expect(outputs).toBe(textOf(await requested('storyteller', 'The cat', parameters)))
  })

  test('is by a version that is named, in the body or in the path', async () => {
    expect((await made('iris', { inputs: FLOWER, version: '1' })).version).toBe('1')
    expect((await made('iris@1', { inputs: FLOWER })).version).toBe('1')
    expect((await made('iris@latest', { inputs: FLOWER })).version).toBe('1')
  })
})

describe('what is wrong is said', () => {
  const wrong: [string, string, unknown, number, string][] = [
    ['a model that is not there', 'none', { inputs: FLOWER }, 404, 'model-not-found'],
    ['a version that is not there', 'iris@9', { inputs: FLOWER }, 404, 'model-not-found'],
    ['a model that no node can load', 'damaged', { inputs: { x: 1 } }, 503, 'model-damaged'],
    ['another shape', 'iris', { inputs: { features: [1, 2] } }, 422, 'input-mismatch'],
    [
      'a parameter that the model has not',
      'iris',
      { inputs: FLOWER, parameters: { top: 1 } },
      422,
      'invalid-parameter',
    ],
    ['a misspelt option', 'iris', { inputs: FLOWER, timeoutMS: 1 }, 400, 'invalid-request'],
    ['a time limit of nothing', 'iris', { inputs: FLOWER, timeoutMs: 0 }, 400, 'invalid-request'],
  ]
  test.each(wrong)('%s', async (_, model, body, status, kind) => {
    expect(await problem(predict(model, body))).toMatchObject({ status, kind })
  })

  test('no token', async () => {
    const response = await fetch(new URL('/models/iris/predict', stack.url), { method: 'POST' })
    expect(response.status).toBe(401)
  })
})

describe('the time that a caller waits', () => {
  test('is over when they say, in the body or in the header', async () => {
    const slow = { inputs: { times: 2_000_000 } }
    for (const response of [
      predict('counter', { ...slow, timeoutMs: 300 }),
      predict('counter', slow, { 'Oriel-Timeout-Ms': '300' }),
    ]) {
      expect(await problem(response)).toMatchObject({ status: 504, kind: 'deadline-exceeded' })
    }
  })
})

describe('the record', () => {
  const read = async (path: string) => (await stack.client('alice')).send(path)

  /** Once it is there. */
  async function recorded(id: string): Promise<PredictionView> {
    await stack.until(async () => (await read(`/predictions/${id}`)).status === 200)
    return v.parse(PredictionView, await (await read(`/predictions/${id}`)).json())
  }

  test('has what went in and what came out', async () => {
    const { predictionID, outputs } = await made('iris', { inputs: FLOWER })
    const view = await recorded(predictionID)
    expect(view).toMatchObject({ modelID: 'iris', version: '1', status: 'completed' })
    expect(view.input).toMatchObject({ tensors: [{ name: 'features', datatype: 'FP32', shape: [1, 4] }] })
    const [label] = 'tensors' in (view.output ?? {}) ? (view.output as { tensors: { data: unknown[] }[] }).tensors : []
    expect(label?.data[0]).toBe((outputs as { label: unknown }).label)
  })

  test('has the hash of what is large', async () => {
    const { predictionID, outputs } = await made('wide', { inputs: { x: new Array(1_000).fill(1.5) } })
    expect((outputs as { y: number[] }).y).toHaveLength(1_000)
    const { input, output } = await recorded(predictionID)
    expect(input).toMatchObject({ bytes: 8_000 })
    expect(output).toEqual(input)
  })

  test('has what failed, and nothing of what the caller did wrong', async () => {
    const failed = await predict('moody', { inputs: { x: 5 } })
    expect(failed.status).toBe(500)
    await predict('iris', { inputs: { features: [] } })
    const { predictionID } = await made('iris', { inputs: FLOWER })
    await recorded(predictionID)
    const list = v.parse(PredictionList, await (await read('/predictions?limit=2')).json())
    expect(list.predictions.map(({ modelID, status }) => [modelID, status])).toEqual([
      ['iris', 'completed'],
      ['moody', 'failed'],
    ])
    expect(list.predictions[1]?.problem?.kind).toBe('inference-failed')
    const older = await read(`/predictions?limit=2&nextCursor=${list.nextCursor}`)
    expect(v.parse(PredictionList, await older.json()).predictions).toHaveLength(2)
    const some = v.parse(PredictionList, await (await read('/predictions?model=moody')).json())
    expect(some.predictions.map(({ modelID }) => modelID)).toEqual(['moody'])
  })

  test('is its user’s alone', async () => {
    const { predictionID } = await made('iris', { inputs: FLOWER })
    await recorded(predictionID)
    expect((await (await stack.client('bob')).send(`/predictions/${predictionID}`)).status).toBe(404)
  })
})

test('with no node there, the caller is told at once and may come back', async () => {
  await stack.without('node-1', async () => {
    const refused = await problem(predict('iris', { inputs: FLOWER }))
    expect(refused).toEqual({ status: 503, kind: 'unavailable', retryAfter: '1' })
  })
}, 60_000)
