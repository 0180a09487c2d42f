import { beforeAll, describe, expect, test } from 'bun:test'
import { type NewUpload, UploadView } from '@oriel/protocol/model-registry'
import postgres from 'postgres'
import * as v from 'valibot'
import { Registrant, sha256Of } from '../support/registry.ts'
import { useStack } from '../support/stack.ts'

const NODE_TOKEN = 'what the nodes of these tests show'
const MiB = 1024 * 1024

/** Bytes that no other test has. */
function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(data.subarray(at, Math.min(length, at + 65_536)))
  return data
}

/** What every place for files must do, seen through the edge. */
export function testUploads(edge: 'wrangler' | 'workerd'): void {
  describe(`files of models under ${edge}`, () => {
    const stack = useStack({ edge, nodes: 0, edgeEnv: { NODE_TOKEN } })
    let registrant: Registrant
    beforeAll(async () => {
      registrant = new Registrant(await stack.client('rita', 'models'))
    })

    const open = async (data: Uint8Array, partBytes?: number) => {
      const wanted: v.InferInput<typeof NewUpload> = { sha256: sha256Of(data), bytes: data.byteLength }
      const answer = await registrant.send('POST', '/uploads', { ...wanted, ...(partBytes && { partBytes }) })
      return v.parse(UploadView, await answer.json())
    }
    const problemOf = async (answer: Response) => {
      const { type } = v.parse(v.object({ type: v.string() }), await answer.json())
      return { status: answer.status, kind: type.replace('urn:oriel:problem:', '') }
    }
    const stored = async (data: Uint8Array) => {
      const answer = await registrant.client.send(`/artifacts/${sha256Of(data)}`)
      return { status: answer.status, bytes: new Uint8Array(await answer.arrayBuffer()) }
    }

    test('a file in parts, in any order, one of them twice, cut off and taken up again, is stored as it was', async () => {
      const data = bytesOf(12 * MiB + 7)
      const upload = await open(data, 5 * MiB)
      expect(upload).toMatchObject({ status: 'open', parts: 3, present: [] })
      await registrant.putPart(data, upload, 3)
      await registrant.putPart(bytesOf(data.byteLength), upload, 1)
      await registrant.putPart(data, upload, 1)
      expect(await problemOf(await registrant.send('POST', `/uploads/${upload.sha256}/complete`))).toEqual({
        status: 409,
        kind: 'upload-conflict',
      })
      expect((await stored(data)).status).toBe(404)
      // Whoever takes it up again is told what is there.
      const again = await open(data, 6 * MiB)
      expect(again).toEqual({ ...upload, present: [1, 3] })
      expect(await registrant.upload(data)).toMatchObject({ status: 'stored', bytes: data.byteLength })
      const { status, bytes } = await stored(data)
      expect(status).toBe(200)
      expect(sha256Of(bytes)).toBe(sha256Of(data))
      // Stored once: whoever has it to offer again is told so.
      expect(await open(data)).toMatchObject({ status: 'stored' })
      expect(await registrant.expect(200, 'POST', `/uploads/${upload.sha256}/complete`)).toMatchObject({
        status: 'stored',
      })
    }, 60_000)

    test('a file with other content than was promised is not kept, and can be uploaded anew', async () => {
      const data = bytesOf(1_000)
      const upload = await open(data)
      await registrant.putPart(bytesOf(1_000), upload, 1)
      expect(await problemOf(await registrant.send('POST', `/uploads/${upload.sha256}/complete`))).toEqual({
        status: 422,
        kind: 'content-mismatch',
      })
      expect((await stored(data)).status).toBe(404)
      expect((await registrant.send('GET', `/uploads/${upload.sha256}`)).status).toBe(404)
      expect(await registrant.upload(data)).toMatchObject({ status: 'stored' })
    })

    test('a part of another length is refused and is not there; so is one that breaks off', async () => {
      const data = bytesOf(1_000)
      const { sha256 } = await open(data)
      const put = (body: BodyInit, number = 1) =>
        registrant.client.send(`/uploads/${sha256}/parts/${number}`, { method: 'PUT', body })
      expect(await problemOf(await put(data.slice(1)))).toEqual({ status: 400, kind: 'invalid-request' })
      // Of unknown length: what comes is counted.
      const streamed = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes]).stream()
      expect((await put(streamed(bytesOf(999)))).status).toBe(400)
      expect((await put(streamed(bytesOf(1_001)))).status).toBe(400)
      expect((await put(data, 2)).status).toBe(404)
      expect((await put(data, 0)).status).toBe(404)
      expect(await registrant.expect(200, 'GET', `/uploads/${sha256}`)).toMatchObject({ present: [] })
      expect((await put(streamed(data))).status).toBe(204)
      expect(await registrant.upload(data)).toMatchObject({ status: 'stored' })
    })

    test('of many who complete it at once nobody breaks it', async () => {
      const data = bytesOf(6 * MiB)
      const upload = await open(data, 5 * MiB)
      for (const number of [1, 2]) await registrant.putPart(data, upload, number)
      const complete = () => registrant.send('POST', `/uploads/${upload.sha256}/complete`)
      const answers = await Promise.all(Array.from({ length: 5 }, complete))
      for (const { status } of answers) expect([200, 409]).toContain(status)
      expect(answers.map(({ status }) => status)).toContain(200)
      expect(sha256Of((await stored(data)).bytes)).toBe(sha256Of(data))
    })

    test('an empty file is a file', async () => {
      const data = new Uint8Array()
      expect(await registrant.upload(data)).toMatchObject({ status: 'stored', bytes: 0 })
      expect(await stored(data)).toEqual({ status: 200, bytes: data })
    })

    test('an upload can be given up', async () => {
      const data = bytesOf(100)
      const upload = await open(data)
      await registrant.putPart(data, upload, 1)
      await registrant.expect(204, 'DELETE', `/uploads/${upload.sha256}`)
      expect(await open(data)).toMatchObject({ present: [] })
    })

    test('a file on its way out is missing, and uploading it anew does not lose it; old uploads go too', async () => {
      const [data, old] = [bytesOf(100), bytesOf(200)]
      await registrant.upload(data)
      await open(old)
      const sql = postgres(stack.stack.databaseUrl, { max: 1, onnotice: () => {} })
      await sql`update artifacts set dropping_at = now() where sha256 = ${sha256Of(data)}`
      await sql`update uploads set created_at = now() - interval '7 days' where sha256 = ${sha256Of(old)}`
      expect((await stored(data)).status).toBe(404)
      expect(await open(data)).toMatchObject({ status: 'open', present: [] })
      expect(await sql`select from uploads where sha256 = ${sha256Of(old)}`).toHaveLength(0)
      await registrant.upload(data)
      await open(bytesOf(10)) // and sweeps once more
      expect(await stored(data)).toEqual({ status: 200, bytes: data })
      await sql.end()
    })

    test('a node reads files while PostgreSQL is away', async () => {
      const data = bytesOf(10)
      await registrant.upload(data)
      await stack.without('postgres', async () => {
        const headers = { Authorization: `Bearer ${NODE_TOKEN}` }
        const answer = await fetch(`${stack.url}/artifacts/${sha256Of(data)}`, { headers })
        expect(answer.status).toBe(200)
        expect(new Uint8Array(await answer.arrayBuffer())).toEqual(data)
      })
    }, 60_000)

    test('only who may register sends files, and only they and nodes read them', async () => {
      const data = bytesOf(10)
      await registrant.upload(data)
      const sha256 = sha256Of(data)
      const stranger = await stack.client('eve')
      expect((await stranger.send(`/artifacts/${sha256}`)).status).toBe(403)
      expect((await stranger.send(`/uploads/${sha256}`)).status).toBe(403)
      const bare = (token: string) => fetch(`${stack.url}/artifacts/${sha256}`, { headers: { Authorization: token } })
      for (const token of ['', 'Bearer ', 'Bearer x', 'Basic x']) expect((await bare(token)).status).toBe(401)
      expect((await registrant.client.send(`/artifacts/${'0'.repeat(64)}`)).status).toBe(404)
      expect((await registrant.client.send('/artifacts/..%2f..%2fsecrets')).status).toBe(404)
    })
  })
}
