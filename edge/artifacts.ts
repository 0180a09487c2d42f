import { artifactKey, Sha256 } from '@oriel/protocol/artifact'
import { ProblemError } from '@oriel/protocol/problem'
import { Hono } from 'hono'
import * as v from 'valibot'
import { demand } from './caller.ts'
import type { EdgeContext } from './context.ts'

/** Stored files by their address: for nodes that do not read the bucket themselves, and for those who may register. */
export const artifacts = new Hono<EdgeContext>()

artifacts.get('/:sha256', async (c) => {
  const { platform } = c.var
  const authorization = c.req.header('Authorization')
  const node = await isNode(platform.nodeToken, authorization)
  if (!node) demand(await platform.identity.caller(authorization), 'models')
  const found = v.safeParse(Sha256, c.req.param('sha256'))
  const none = new ProblemError({ kind: 'not-found', detail: 'There is no such artifact.' })
  if (!found.success) throw none
  const sha256 = found.output
  const key = artifactKey(sha256)
  // A node compares what it gets with the SHA-256, and loads models also while PostgreSQL is away.
  const bytes = node ? await platform.blobs().size(key) : await platform.uploads((uploads) => uploads.stored(sha256))
  const body = bytes === undefined ? undefined : await platform.blobs().read(key)
  if (!body) throw none
  c.header('Content-Type', 'application/octet-stream')
  c.header('Content-Length', String(bytes))
  c.header('Cache-Control', 'private, max-age=31536000, immutable')
  return c.body(body)
})

/** Compared by their hashes: how long that takes says nothing that helps to guess. */
async function isNode(token: string, authorization: string | undefined): Promise<boolean> {
  if (token === '' || authorization === undefined) return false
  return (await hashOf(`Bearer ${token}`)) === (await hashOf(authorization))
}

async function hashOf(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).join()
}
