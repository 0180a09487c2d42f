import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@oriel/dev/ports'
import { S3Artifacts } from '@oriel/gpu-node/artifacts/s3-artifacts'
import { BUNDLED } from '../support/models.ts'
import { Registrant, sha256Of } from '../support/registry.ts'
import { S3Server, whyNoS3 } from '../support/s3-server.ts'
import { useStack } from '../support/stack.ts'

const why = whyNoS3()
if (why) console.log(`skipped: ${why}`)

describe.skipIf(why !== undefined)('nodes that read files from a bucket by the S3 API', async () => {
  const port = await freePort()
  const stack = useStack({ nodeEnv: S3Server.env(port) })
  const iris = readFileSync(join(BUNDLED, 'iris/1/model.onnx'))
  let s3: S3Server
  let registrant: Registrant
  beforeAll(async () => {
    s3 = await S3Server.start(port)
    registrant = new Registrant(await stack.client('rita', 'models'))
  }, 300_000)
  afterAll(() => s3?.stop())

  const source = () =>
    new S3Artifacts({
      bucket: 'oriel-artifacts',
      endpoint: s3.url,
      region: 'us-east-1',
      accessKeyId: 'tester',
      secretAccessKey: 'x',
    })

  test('a file comes as it is, one that is not there is told from a server that does not answer', async () => {
    const data = crypto.getRandomValues(new Uint8Array(65_536))
    const large = Buffer.concat(Array.from({ length: 150 }, () => data))
    await s3.put(large)
    const body = await source().open(sha256Of(large))
    expect(sha256Of(new Uint8Array(await new Response(body).arrayBuffer()))).toBe(sha256Of(large))
    expect(await source().open('0'.repeat(64))).toBeUndefined()
    const nobody = new S3Artifacts({
      bucket: 'x',
      endpoint: `http://127.0.0.1:${await freePort()}`,
      accessKeyId: 'x',
      secretAccessKey: 'x',
    })
    await expect(nobody.open('0'.repeat(64))).rejects.toThrow()
  })

  test('a registered model is fetched from there and answers; a file that is not there is told of the version', async () => {
    await s3.put(iris)
    expect(await registrant.register('flowers', { 'model.onnx': iris })).toMatchObject({ status: 'ready' })
    await stack.until(async () => (await registrant.client.post('flowers', { input: {} })).status !== 404)
    const { requestID } = await registrant.client.submit('flowers', { input: { features: [5.1, 3.5, 1.4, 0.2] } })
    expect((await registrant.client.follow(requestID)).at(-1)?.type).toBe('completed')

    const elsewhere = new TextEncoder().encode('only the edge has this')
    const refused = await registrant.register('lost', { 'model.onnx': elsewhere })
    expect(refused).toMatchObject({ status: 'refused', problem: { kind: 'model-damaged' } })
  }, 60_000)
})
