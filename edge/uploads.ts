import type { Upload } from '@oriel/db/uploads'
import { artifactKey, Sha256 } from '@oriel/protocol/artifact'
import { NewUpload, type UploadView } from '@oriel/protocol/model-registry'
import { ProblemError } from '@oriel/protocol/problem'
import type { Context } from 'hono'
import { Hono } from 'hono'
import * as v from 'valibot'
import { CountedBody } from './blobs/counted-body.ts'
import { digestOf } from './blobs/digest.ts'
import { readJson } from './body.ts'
import { limitBody } from './body-limit.ts'
import type { EdgeContext } from './context.ts'
import { allow, authenticate } from './context.ts'
import type { Platform } from './platform.ts'
import { sweep, UPLOAD_MS } from './sweep.ts'
import { bytesOfPart, checkPartCount, partCount } from './upload-parts.ts'

const MAX_BYTES = 16 * 1024

/**
 * Files in parts, by the SHA-256 of the whole: open, put the parts in any order, complete. Whoever was cut off asks which
 * parts are there and sends the others; two that send the same file share one upload.
 */
export const uploads = new Hono<EdgeContext>()

uploads.use(authenticate, allow('models'))

uploads.post('/', limitBody(MAX_BYTES), async (c) => {
  const { platform, user } = c.var
  const wanted = await readJson(c, NewUpload)
  checkPartCount(wanted)
  c.header('Location', `/uploads/${wanted.sha256}`)
  await sweep(platform)
  // Bytes that are on their way out would take the new ones with them.
  const remove = (sha256: string) => platform.blobs().delete(artifactKey(sha256))
  await platform.uploads((all) => all.drop(remove, wanted.sha256))
  const known = await findUpload(platform, wanted.sha256)
  if (known && known.bytes !== wanted.bytes) {
    const detail = `A file with this SHA-256 has ${known.bytes} bytes, or is promised to have.`
    throw new ProblemError({ kind: 'content-mismatch', detail })
  }
  if (known) return c.json(known)
  const key = artifactKey(wanted.sha256)
  const handle = await platform.blobs().begin(key)
  const mine = await platform.uploads((all) => all.open({ ...wanted, handle }, user))
  if (!mine) await platform.blobs().abort(key, handle)
  return c.json(await requireUpload(platform, wanted.sha256), mine ? 201 : 200)
})

uploads.get('/:sha256', async (c) => c.json(await requireUpload(c.var.platform, c.req.param('sha256'))))

uploads.put('/:sha256/parts/:number', async (c) => {
  const { platform } = c.var
  const upload = await openUpload(c)
  const number = Number(c.req.param('number'))
  const bytes = bytesOfPart(upload, number)
  if (bytes === undefined) {
    throw new ProblemError({ kind: 'not-found', detail: `The parts of this file are 1 to ${partCount(upload)}.` })
  }
  const length = c.req.header('Content-Length')
  if (length !== undefined && Number(length) !== bytes) throw wrongLength(number, bytes)
  const body = new CountedBody(c.req.raw.body ?? new Blob([]).stream())
  const { handle, sha256 } = upload
  const etag = await platform
    .blobs()
    .putPart(artifactKey(sha256), handle, number, body.stream, bytes)
    .catch((cause) => {
      console.warn('a part of an upload was not taken', cause)
      if (body.isNot(bytes)) throw wrongLength(number, bytes, cause)
      const detail = 'The part could not be stored now; send it again.'
      throw new ProblemError({ kind: 'unavailable', detail, retryAfterMs: 2_000 }, { cause })
    })
  if (!(await platform.uploads((all) => all.putPart(handle, number, etag)))) throw busy()
  return c.body(null, 204)
})

uploads.post('/:sha256/complete', async (c) => {
  const { platform } = c.var
  const sha256 = c.req.param('sha256')
  const view = await requireUpload(platform, sha256)
  if (view.status === 'stored') return c.json(view)
  const upload = await openUpload(c)
  const missing = missingParts(upload)
  if (missing.length > 0) {
    const some = missing.slice(0, 10).join(', ')
    const detail = `Of ${partCount(upload)} parts ${missing.length} are missing: ${some}${missing.length > 10 ? ' …' : ''}.`
    throw new ProblemError({ kind: 'upload-conflict', detail })
  }
  if (!(await platform.uploads((all) => all.beginCompletion(upload.handle)))) throw busy()
  await complete(platform, upload)
  return c.json(await requireUpload(platform, sha256))
})

uploads.delete('/:sha256', async (c) => {
  const { platform } = c.var
  const { sha256, handle } = await openUpload(c)
  await platform.uploads((all) => all.forget(handle))
  await platform.blobs().abort(artifactKey(sha256), handle)
  return c.body(null, 204)
})

/** Nobody is told that a file is stored before every byte of it was read back and found to be the right one. */
async function complete(platform: Platform, upload: Upload): Promise<void> {
  const { sha256, bytes, handle, parts } = upload
  const blobs = platform.blobs()
  const key = artifactKey(sha256)
  try {
    // Whoever began before us may have got this far and no further.
    if ((await blobs.size(key)) === undefined) await blobs.complete(key, handle, parts, bytes)
  } catch (error) {
    await platform.uploads((all) => all.endCompletion(handle))
    throw error
  }
  const body = await blobs.read(key)
  const found = body && (await digestOf(body))
  if (found?.sha256 === sha256 && found.bytes === bytes) return platform.uploads((all) => all.store(upload))
  await blobs.delete(key)
  await platform.uploads((all) => all.forget(handle))
  const detail = `The SHA-256 of what was uploaded is ${found?.sha256}, of ${found?.bytes} bytes.`
  throw new ProblemError({ kind: 'content-mismatch', detail })
}

async function findUpload(platform: Platform, sha256: string): Promise<UploadView | undefined> {
  if (!v.is(Sha256, sha256)) return undefined
  const key = artifactKey(sha256)
  const [bytes, upload] = await platform.uploads(async (all) => [await all.stored(sha256), await all.find(sha256)])
  if (bytes !== undefined) {
    if ((await platform.blobs().size(key)) === bytes) {
      return { sha256, bytes, status: 'stored', partBytes: bytes, parts: 1, present: [1] }
    }
    console.error('the blob store has lost an artifact; it can be uploaded again', { sha256 })
    await platform.uploads((all) => all.lost(sha256))
  }
  if (!upload) return undefined
  if (upload.createdAt.getTime() < Date.now() - UPLOAD_MS && !upload.completing) {
    await platform.uploads((all) => all.forget(upload.handle))
    return undefined
  }
  const { partBytes, completing } = upload
  const present = upload.parts.map(({ number }) => number)
  const status = completing ? 'completing' : 'open'
  return { sha256, bytes: upload.bytes, status, partBytes, parts: partCount(upload), present }
}

async function requireUpload(platform: Platform, sha256: string): Promise<UploadView> {
  const found = await findUpload(platform, sha256)
  if (!found) throw new ProblemError({ kind: 'not-found', detail: 'There is no such upload, and no such file.' })
  return found
}

async function openUpload(c: Context<EdgeContext>): Promise<Upload> {
  const sha256 = c.req.param('sha256') ?? ''
  const upload = v.is(Sha256, sha256) ? await c.var.platform.uploads((all) => all.find(sha256)) : undefined
  if (!upload)
    throw new ProblemError({ kind: 'not-found', detail: 'There is no such upload; POST /uploads opens one.' })
  if (upload.completing) throw busy()
  return upload
}

function missingParts(upload: Upload): number[] {
  const present = new Set(upload.parts.map(({ number }) => number))
  return Array.from({ length: partCount(upload) }, (_, index) => index + 1).filter((number) => !present.has(number))
}

const wrongLength = (number: number, bytes: number, cause?: unknown) =>
  new ProblemError(
    { kind: 'invalid-request', detail: `Part ${number} has ${bytes} bytes; what came was not so, or broke off.` },
    { cause },
  )

const busy = () =>
  new ProblemError({ kind: 'upload-conflict', detail: 'The upload is just being put together.', retryAfterMs: 2_000 })
