import { createHash } from 'node:crypto'
import { UploadView, VersionView } from '@oriel/protocol/model-registry'
import * as v from 'valibot'
import type { Client } from './client.ts'

const JSON_TYPE = { 'Content-Type': 'application/json' }

export const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Whoever registers models, by the HTTP API alone. */
export class Registrant {
  readonly client: Client

  constructor(client: Client) {
    this.client = client
  }

  send(method: string, path: string, body?: unknown): Promise<Response> {
    if (body === undefined) return this.client.send(path, { method })
    return this.client.send(path, { method, body: JSON.stringify(body), headers: JSON_TYPE })
  }

  /** @throws unless the answer has this status */
  async expect(status: number, method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.send(method, path, body)
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return status === 204 ? undefined : await answer.json()
  }

  async version(name: string, version: string): Promise<VersionView> {
    return v.parse(VersionView, await this.expect(200, 'GET', `/models/${name}/versions/${version}`))
  }

  /** Registers a version, with its files' addresses and sizes. */
  async draft(name: string, files: Readonly<Record<string, Uint8Array>>, fields: object = {}): Promise<VersionView> {
    const listed = Object.entries(files).map(([path, data]) => ({
      path,
      sha256: sha256Of(data),
      bytes: data.byteLength,
    }))
    return v.parse(
      VersionView,
      await this.expect(201, 'POST', `/models/${name}/versions`, { files: listed, ...fields }),
    )
  }

  /** A file in parts, those that are there left out. */
  async upload(data: Uint8Array, partBytes?: number): Promise<UploadView> {
    const sha256 = sha256Of(data)
    const wanted = { sha256, bytes: data.byteLength, ...(partBytes !== undefined && { partBytes }) }
    const opened = await this.send('POST', '/uploads', wanted)
    if (!opened.ok) throw new Error(`POST /uploads: ${opened.status} ${await opened.text()}`)
    const upload = v.parse(UploadView, await opened.json())
    if (upload.status === 'stored') return upload
    for (let number = 1; number <= upload.parts; number++) {
      if (!upload.present.includes(number)) await this.putPart(data, upload, number)
    }
    return v.parse(UploadView, await this.expect(200, 'POST', `/uploads/${sha256}/complete`))
  }

  async putPart(data: Uint8Array, { sha256, partBytes }: UploadView, number: number): Promise<void> {
    const body = data.slice((number - 1) * partBytes, number * partBytes)
    const answer = await this.client.send(`/uploads/${sha256}/parts/${number}`, { method: 'PUT', body })
    if (answer.status !== 204) throw new Error(`part ${number}: ${answer.status} ${await answer.text()}`)
  }

  /** Until its check is over. */
  async checked(name: string, version: string): Promise<VersionView> {
    for (;;) {
      const view = await this.version(name, version)
      if (view.status !== 'uploading' && view.status !== 'checking') return view
      await Bun.sleep(100)
    }
  }

  /** From nothing to a version that was checked. */
  async register(name: string, files: Readonly<Record<string, Uint8Array>>, fields: object = {}): Promise<VersionView> {
    const made = await this.send('POST', '/models', { name })
    if (made.status !== 201 && made.status !== 409) throw new Error(`POST /models: ${made.status}`)
    const { version } = await this.draft(name, files, fields)
    for (const data of Object.values(files)) await this.upload(data)
    return await this.checked(name, version)
  }
}
