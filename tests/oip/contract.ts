import { beforeAll, describe, expect, test } from 'bun:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { whyNoPython } from '@oriel/dev/python'
import { received } from '@oriel/oip/message'
import { encodeRequest } from '@oriel/oip/request'
import { decodeResponse } from '@oriel/oip/response'
import { DATATYPES } from '@oriel/protocol/manifest'
import type { NamedTensor } from '@oriel/protocol/tensor'
import * as v from 'valibot'
import { About, Answer, Config, Index, Metadata, Problem, Statistics } from './answers.ts'
import { FIXED_INPUT, MISTAKES } from './mistakes.ts'
import { identityOf } from './models.ts'
import { KSERVE, runPythonClient, TRITON } from './python-client.ts'
import { samples } from './samples.ts'

/** A server with the models of `writeContractModels`, all ready. */
export interface ServerUnderTest {
  /** Up to, and without, `/v2`. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Contract {
  /** Whether callers may load and unload. */
  readonly repository: boolean
}

/** What every server that speaks the Open Inference Protocol in Oriel must do, whoever is behind it. */
export function inferenceContract(title: string, serve: () => Promise<ServerUnderTest>, contract: Contract): void {
  describe(title, () => {
    let server: ServerUnderTest
    beforeAll(async () => {
      server = await serve()
    }, 60_000)

    const get = (path: string) => fetch(`${server.url}/v2${path}`, { headers: server.headers })
    const post = (path: string, body: BodyInit = '', headers: Record<string, string> = {}) =>
      fetch(`${server.url}/v2${path}`, { method: 'POST', body, headers: { ...server.headers, ...headers } })
    const infer = (model: string, request: unknown) => post(`/models/${model}/infer`, JSON.stringify(request))
    const outputsOf = async (response: Response) => {
      const text = await response.text()
      if (response.status !== 200) throw new Error(`${response.status}: ${text}`)
      return v.parse(Answer, JSON.parse(text)).outputs
    }

    test('the server tells its name and extensions, and that it lives and is ready', async () => {
      const about = v.parse(About, await (await get('')).json())
      expect(about.extensions).toContain('binary_tensor_data')
      expect((await get('/health/live')).status).toBe(200)
      expect((await get('/health/ready')).status).toBe(200)
    })

    test('a model tells its versions and its tensors', async () => {
      const about = v.parse(Metadata, await (await get('/models/simple')).json())
      expect(about.versions.toSorted()).toEqual(['1', '2'])
      expect(about.inputs).toEqual([
        { name: 'INPUT0', datatype: 'INT32', shape: [-1, 16] },
        { name: 'INPUT1', datatype: 'INT32', shape: [-1, 16] },
      ])
      const fixed = v.parse(Metadata, await (await get('/models/fixed/versions/1')).json())
      expect(fixed.outputs).toEqual([{ name: 'Y', datatype: 'FP32', shape: [2, 3] }])
      const config = await (await get('/models/simple/versions/1/config')).json()
      expect(config).toMatchObject({ name: 'simple', input: [{ data_type: 'TYPE_INT32', dims: [16] }, {}] })
      expect(await (await get('/models/fixed/config')).json()).toMatchObject({ max_batch_size: 0 })
    })

    test('a model or version that is not there is 404, and not ready', async () => {
      const request = { inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 1], data: [0] }] }
      for (const model of ['none', 'simple/versions/9']) {
        for (const response of [
          await get(`/models/${model}`),
          await get(`/models/${model}/config`),
          await get(`/models/${model}/stats`),
          await infer(model, request),
        ]) {
          expect(response.status).toBe(404)
          expect(v.parse(Problem, await response.json()).error).not.toBe('')
        }
        expect((await get(`/models/${model}/ready`)).status).toBe(400)
      }
      expect((await get('/models/simple/ready')).status).toBe(200)
      expect((await get('/models/simple/versions/2/ready')).status).toBe(200)
    })

    test('a version is asked by its path, and the latest without', async () => {
      const ones = new Array(16).fill(1)
      const inputs = ['INPUT0', 'INPUT1'].map((name) => ({ name, datatype: 'INT32', shape: [1, 16], data: ones }))
      const first = await (await infer('simple/versions/1', { inputs })).json()
      const latest = await (await infer('simple', { id: 'x', inputs })).json()
      expect(first).toMatchObject({ model_name: 'simple', model_version: '1' })
      expect(latest).toMatchObject({ id: 'x', model_name: 'simple', model_version: '2' })
      const sums = { OUTPUT0: new Array(16).fill(2), OUTPUT1: new Array(16).fill(0) }
      expect(byName(first)).toEqual(sums)
      expect(byName(latest)).toEqual({ OUTPUT0: sums.OUTPUT1, OUTPUT1: sums.OUTPUT0 })
    })

    test.each([...DATATYPES])('%s goes in and comes out unharmed, in all four ways', async (datatype) => {
      const input: NamedTensor = { name: 'X', datatype, shape: [2, 3], values: samples(datatype) }
      for (const binaryIn of [false, true]) {
        for (const binaryOut of [false, true]) {
          const request = received(
            encodeRequest({ parameters: {}, inputs: [input] }, { binary: binaryOut }, { binary: binaryIn }),
          )
          const headers = headerOf(request.headerLength)
          const response = await post(`/models/${identityOf(datatype)}/infer`, request.body.slice(), headers)
          const length = response.headers.get('Inference-Header-Content-Length')
          expect(length !== null).toBe(binaryOut)
          const body = await response.bytes()
          const answer = decodeResponse({ body, ...(length !== null && { headerLength: Number(length) }) })
          expect(answer.outputs).toEqual([{ ...input, name: 'Y' }])
          // Two arrays are equal with 0 and -0 in them, two lists are not.
          expect([...(answer.outputs[0]?.values ?? [])]).toEqual([...input.values])
        }
      }
    })

    test('nested data is the same as flat data', async () => {
      const nested = { name: 'X', datatype: 'FP32', shape: [2, 3], data: [[1, 2, 3], [4, 5, 6]] } // biome-ignore format: as it is meant
      const outputs = await outputsOf(await infer('fixed', { inputs: [nested] }))
      expect(outputs).toEqual([{ name: 'Y', datatype: 'FP32', shape: [2, 3], data: [-1, -2, -3, -4, -5, -6] }])
    })

    test('what JSON has no number for comes out as a string', async () => {
      const inputs = [{ name: 'X', datatype: 'FP32', shape: [2, 3], data: [-1, 'Infinity', 4, 9, 16, 25] }]
      const [output] = await outputsOf(await infer('sqrt', { inputs }))
      expect(output?.data).toEqual(['NaN', 'Infinity', 2, 3, 4, 5])
    })

    test('only the outputs that are asked come, in the form that each is asked in', async () => {
      const inputs = ['INPUT0', 'INPUT1'].map((name) => int32(name, [1, 16]))
      const one = await outputsOf(await infer('simple/versions/1', { inputs, outputs: [{ name: 'OUTPUT1' }] }))
      expect(one.map(({ name }) => name)).toEqual(['OUTPUT1'])
      const both = [{ name: 'OUTPUT0', parameters: { binary_data: true } }, { name: 'OUTPUT1' }]
      const response = await infer('simple/versions/1', { inputs, outputs: both })
      const headerLength = Number(response.headers.get('Inference-Header-Content-Length'))
      const answer = decodeResponse({ body: await response.bytes(), headerLength })
      expect(answer.outputs.map(({ name, values }) => [name, values[15]])).toEqual([
        ['OUTPUT0', 30],
        ['OUTPUT1', 0],
      ])
    })

    test('the likeliest classes are told in place of the values', async () => {
      const inputs = [{ name: 'X', datatype: 'FP32', shape: [1, 3], data: [0.25, 0.5, 0.125] }]
      const outputs = [{ name: 'Y', parameters: { classification: 2 } }]
      expect(await outputsOf(await infer(identityOf('FP32'), { inputs, outputs }))).toEqual([
        { name: 'Y', datatype: 'BYTES', shape: [1, 2], data: ['0.500000:1', '0.250000:0'] },
      ])
    })

    test('a body without JSON is the one input', async () => {
      const headers = headerOf(0)
      const values = new Float32Array([1, 2, 3, 4, 5, 6])
      const response = await post('/models/fixed/infer', values, headers)
      const headerLength = Number(response.headers.get('Inference-Header-Content-Length'))
      const [output] = decodeResponse({ body: await response.bytes(), headerLength }).outputs
      expect(output?.values).toEqual(values.map((value) => -value))
    })

    test('a body may come packed', async () => {
      const request = JSON.stringify({
        inputs: [{ name: 'X', datatype: 'FP32', shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }],
      })
      for (const [encoding, packed] of [
        ['gzip', gzipSync(request)],
        ['deflate', deflateSync(request)],
      ] as const) {
        const response = await post('/models/fixed/infer', packed, { 'Content-Encoding': encoding })
        expect((await outputsOf(response))[0]?.data).toEqual([-1, -2, -3, -4, -5, -6])
      }
      expect((await post('/models/fixed/infer', 'plain', { 'Content-Encoding': 'gzip' })).status).toBe(400)
      expect((await post('/models/fixed/infer', 'plain', { 'Content-Encoding': 'br' })).status).toBe(400)
    })

    test('a body that is too large is 400, and says so', async () => {
      const size = 64 * 1024 * 1024
      const bodies = [
        new Uint8Array(size + 1),
        gzipSync(new Uint8Array(size + 1)),
        new Blob([new Uint8Array(size + 1)]).stream(),
      ]
      for (const [index, body] of bodies.entries()) {
        const response = await post('/models/fixed/infer', body, index === 1 ? { 'Content-Encoding': 'gzip' } : {})
        expect(response.status).toBe(400)
        expect(v.parse(Problem, await response.json()).error).toContain('bytes')
      }
    })

    test('requests that run together get each their own answer', async () => {
      const ask = async (index: number) => {
        const size = 1 + (index % 3)
        const data = Array.from({ length: size }, (_none, at) => index * 10 + at)
        const inputs = [{ name: 'X', datatype: 'INT64', shape: [1, size], data }]
        const [output] = await outputsOf(await infer(identityOf('INT64'), { inputs }))
        expect(output?.data).toEqual(data)
      }
      await Promise.all(Array.from({ length: 60 }, (_none, index) => ask(index)))
    })

    test.each(MISTAKES)('%s is 400, and says why', async (_what, request) => {
      const response = await infer('fixed', request)
      expect(response.status).toBe(400)
      expect(v.parse(Problem, await response.json()).error).not.toBe('')
    })

    test('a text that ONNX Runtime would cut off is 400', async () => {
      const inputs = [{ name: 'X', datatype: 'BYTES', shape: [1, 1], data: ['a\0b'] }]
      expect((await infer(identityOf('BYTES'), { inputs })).status).toBe(400)
    })

    test('bytes that are no request are 400', async () => {
      for (const [body, headers] of [
        ['', {}],
        ['{"inputs":', {}],
        [new Uint8Array([0x7b, 0xff, 0x7d]), {}],
        ['{"inputs":[]}', headerOf(14)],
        ['{"inputs":[]} more', headerOf(13)],
        ['{"inputs":[]}', { 'Inference-Header-Content-Length': 'all' }],
        ['[1,2]', headerOf(0)],
      ] as const) {
        const response = await post('/models/fixed/infer', body, headers)
        expect(response.status).toBe(400)
        expect(v.parse(Problem, await response.json()).error).not.toBe('')
      }
    })

    test('a batch has as many rows as the configuration says, and no more', async () => {
      const model = identityOf('UINT8')
      const { max_batch_size: most } = v.parse(Config, await (await get(`/models/${model}/config`)).json())
      const rows = (count: number) => ({
        inputs: [{ name: 'X', datatype: 'UINT8', shape: [count, 1], data: new Array(count).fill(7) }],
      })
      expect((await outputsOf(await infer(model, rows(most))))[0]?.data).toHaveLength(most)
      expect((await infer(model, rows(most + 1))).status).toBe(400)
      expect((await infer(model, rows(1_000_000))).status).toBe(400)
    })

    test('predictions are counted', async () => {
      const count = async () => {
        const { model_stats } = v.parse(Statistics, await (await get('/models/fixed/versions/1/stats')).json())
        expect(model_stats.map(({ name, version }) => [name, version])).toEqual([['fixed', '1']])
        return model_stats[0]?.inference_stats.success.count ?? 0
      }
      await infer('fixed', { inputs: [FIXED_INPUT] })
      const before = await count()
      await infer('fixed', { inputs: [FIXED_INPUT] })
      expect(await count()).toBe(before + 1)
      const { model_stats } = v.parse(Statistics, await (await get('/models/stats')).json())
      expect(model_stats.map(({ name }) => name)).toContain('fixed')
    })

    test('a generation takes inputs as fields, also in a stream', async () => {
      const body = JSON.stringify({ id: 'g', X: [1.5, 2.5] })
      const answer = await (await post(`/models/${identityOf('FP32')}/generate`, body)).json()
      expect(answer).toEqual({ id: 'g', model_name: identityOf('FP32'), model_version: '1', Y: [1.5, 2.5] })
      const stream = await post(`/models/${identityOf('FP32')}/generate_stream`, body)
      expect(stream.headers.get('Content-Type')).toStartWith('text/event-stream')
      expect(await stream.text()).toBe(`data: ${JSON.stringify(answer)}\n\n`)
    })

    test('the repository is listed', async () => {
      const index = v.parse(Index, await (await post('/repository/index')).json())
      expect(index).toContainEqual({ name: 'simple', version: '2', state: 'READY' })
      const ready = v.parse(Index, await (await post('/repository/index', '{"ready":true}')).json())
      expect(ready.every(({ state }) => state === 'READY')).toBe(true)
    })

    if (contract.repository) {
      test('models are unloaded and loaded again', async () => {
        expect((await post('/repository/models/sqrt/unload')).status).toBe(200)
        expect((await get('/models/sqrt/ready')).status).toBe(400)
        expect((await post('/repository/models/sqrt/load', '{}')).status).toBe(200)
        expect((await get('/models/sqrt/ready')).status).toBe(200)
        expect((await post('/repository/models/none/load')).status).toBe(404)
      })
    }

    test('other routes are 404 and other methods 405, in the form of errors', async () => {
      for (const [response, status] of [
        [await get('/nothing'), 404],
        [await get('/models/fixed/infer'), 405],
        [await post('/models/fixed'), 405],
      ] as const) {
        expect(response.status).toBe(status)
        expect(v.parse(Problem, await response.json()).error).not.toBe('')
      }
    })

    for (const client of [TRITON, KSERVE]) {
      const reason = whyNoPython(client)
      if (reason) console.log(`skipped: ${title} with an unmodified client, because ${reason}`)
      test.skipIf(reason !== undefined)(
        `${client.requirements.join(', ')} from PyPI works as it is`,
        () => runPythonClient(client, server, ...(contract.repository ? ['load'] : [])),
        600_000, // the first time it is installed
      )
    }
  })
}

/** The values of the outputs by name. */
const byName = (answer: unknown) =>
  Object.fromEntries(v.parse(Answer, answer).outputs.map(({ name, data }) => [name, data]))

const int32 = (name: string, shape: [number, number]) => ({
  name,
  datatype: 'INT32',
  shape,
  data: Array.from({ length: shape[0] * shape[1] }, (_none, index) => index),
})

const headerOf = (length: number | undefined): Record<string, string> =>
  length === undefined ? {} : { 'Inference-Header-Content-Length': String(length) }
