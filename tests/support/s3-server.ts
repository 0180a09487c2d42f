import { join } from 'node:path'
import { HOST } from '@oriel/dev/ports'
import { pythonEnvironment, whyNoPython } from '@oriel/dev/python'
import { artifactKey } from '@oriel/protocol/artifact'
import { S3Client } from 'bun'
import { sha256Of } from './registry.ts'

const MOTO = { name: 'moto', requirements: ['moto[s3,server]==5.2.5'] }
const BUCKET = 'oriel-artifacts'

/** Why there can be no S3 server here, or undefined: there can. */
export const whyNoS3 = (): string | undefined => whyNoPython(MOTO)

/** An S3 server from PyPI, in memory. */
export class S3Server {
  readonly url: string
  readonly #child: Bun.Subprocess

  /** @param port a free one. The first time it installs the server. */
  static async start(port: number): Promise<S3Server> {
    const python = join(await pythonEnvironment(MOTO), 'bin', 'python')
    const child = Bun.spawn([python, '-m', 'moto.server', '-H', HOST, '-p', String(port)], {
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    })
    const server = new S3Server(`http://${HOST}:${port}`, child)
    while (!(await server.#makesBucket())) {
      if (child.exitCode !== null) throw new Error(`moto_server ended with ${child.exitCode}`)
      await Bun.sleep(100)
    }
    return server
  }

  private constructor(url: string, child: Bun.Subprocess) {
    this.url = url
    this.#child = child
  }

  /** A node's variables for this server. */
  static env(port: number): Record<string, string> {
    return {
      ORIEL_S3_BUCKET: BUCKET,
      ORIEL_S3_ENDPOINT: `http://${HOST}:${port}`,
      ORIEL_S3_REGION: 'us-east-1',
      ORIEL_S3_ACCESS_KEY_ID: 'tester',
      ORIEL_S3_SECRET_ACCESS_KEY: 'a secret that moto does not check',
    }
  }

  get client(): S3Client {
    return new S3Client({
      bucket: BUCKET,
      endpoint: this.url,
      region: 'us-east-1',
      accessKeyId: 'tester',
      secretAccessKey: 'a secret that moto does not check',
    })
  }

  async put(data: Uint8Array, sha256 = sha256Of(data)): Promise<void> {
    await this.client.write(artifactKey(sha256), data)
  }

  async stop(): Promise<void> {
    this.#child.kill()
    await this.#child.exited
  }

  async #makesBucket(): Promise<boolean> {
    const answer = await fetch(`${this.url}/${BUCKET}`, { method: 'PUT' }).catch(() => undefined) // not up yet
    return answer?.ok ?? false
  }
}
