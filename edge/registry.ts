import type { Model, Version } from '@oriel/db/model-registry'
import { isoTime } from '@oriel/protocol/iso-time'
import { ModelName, ModelVersion } from '@oriel/protocol/manifest'
import {
  ModelChange,
  NewModel,
  NewVersion,
  type RegisteredModelView,
  SearchWords,
  VERSION_STATUSES,
  VersionChange,
  type VersionView,
} from '@oriel/protocol/model-registry'
import { ProblemError } from '@oriel/protocol/problem'
import type { Context } from 'hono'
import { Hono } from 'hono'
import * as v from 'valibot'
import { parse, readJson } from './body.ts'
import { limitBody } from './body-limit.ts'
import { demand } from './caller.ts'
import type { EdgeContext } from './context.ts'
import { allow, authenticate } from './context.ts'
import type { Platform } from './platform.ts'
import { revalidate } from './revalidate.ts'
import { sweep } from './sweep.ts'

const MAX_BYTES = 1_000_000
/** What the disks of nodes take, with the folders above. */
const MAX_PATH = 1_024
const MAX_NAME = 255

/** Models and versions, as they are registered. PostgreSQL has them; the broker has what is ready of them. */
export const registry = new Hono<EdgeContext>()

const writing = [authenticate, allow('models'), limitBody(MAX_BYTES)] as const

registry.post('/', ...writing, async (c) => {
  const { platform, user } = c.var
  const { name, ...about } = await readJson(c, NewModel)
  const made = await platform.registry((all) => all.create(name, about, user))
  if (!made) throw new ProblemError({ kind: 'version-conflict', detail: `There is a model ${name} already.` })
  c.header('Location', `/models/${name}`)
  return c.json(await requireModel(platform, name), 201)
})

registry.get('/:name', authenticate, revalidate, async (c) => c.json(await requireModel(c.var.platform, nameIn(c))))

registry.patch('/:name', ...writing, async (c) => {
  const { platform } = c.var
  const name = nameIn(c)
  const about = await readJson(c, ModelChange)
  if (!(await platform.registry((all) => all.change(name, about)))) throw noSuchModel(name)
  return c.json(await requireModel(platform, name))
})

registry.delete('/:name', authenticate, allow('models'), (c) => remove(c, undefined))

registry.post('/:name/versions', ...writing, async (c) => {
  const { platform, user } = c.var
  const name = nameIn(c)
  const given = await readJson(c, NewVersion)
  checkDraft(given, name)
  const draft = { ...given, name }
  const made = await platform.registry((all) => all.register(draft, user))
  if (made.kind === 'no-model') throw noSuchModel(name)
  if (made.kind === 'mismatch') {
    const detail = `The file ${made.sha256} is stored, with ${made.bytes} bytes: the manifest has another number.`
    throw new ProblemError({ kind: 'content-mismatch', detail })
  }
  if (made.kind === 'conflict') {
    const detail = `Version ${draft.version} of ${name} is there, or was: its number is not used again.`
    throw new ProblemError({ kind: 'version-conflict', detail })
  }
  c.header('Location', `/models/${name}/versions/${made.version.version}`)
  return c.json(versionView(made.version), 201)
})

registry.get('/:name/versions/:version', authenticate, revalidate, async (c) => c.json(await requireVersion(c)))

registry.patch('/:name/versions/:version', ...writing, async (c) => {
  const { platform } = c.var
  const { modelID, version } = await requireVersion(c)
  const { deprecated } = await readJson(c, VersionChange)
  if (!(await platform.registry((all) => all.deprecate(modelID, version, deprecated)))) {
    const detail = `${modelID} version ${version} is in nodes' folders, and nobody has registered it.`
    throw new ProblemError({ kind: 'not-found', detail })
  }
  return c.json(await requireVersion(c))
})

registry.delete('/:name/versions/:version', authenticate, allow('models'), async (c) => {
  const { version } = await requireVersion(c)
  return remove(c, version)
})

const SearchQuery = v.object({
  q: v.optional(SearchWords),
  status: v.optional(v.picklist(VERSION_STATUSES)),
  nextCursor: v.optional(ModelName),
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^[0-9]{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(100)),
    '20',
  ),
})

/** What is registered, also what cannot be asked yet: `GET /models` has what can. */
export const registryList = new Hono<EdgeContext>()

registryList.get('/', authenticate, revalidate, async (c) => {
  const { q, status, nextCursor: after, limit } = parse(SearchQuery, c.req.query(), 'query')
  const found = await c.var.platform.registry((all) => all.search({ q, status, after, limit: limit + 1 }))
  const page = found.slice(0, limit).map(({ model, versions }) => modelView(model, versions))
  return c.json({ models: page, nextCursor: found.length > limit ? (page.at(-1)?.modelID ?? null) : null, limit })
})

/** @param version all of them unless given */
async function remove(c: Context<EdgeContext>, version: string | undefined): Promise<Response> {
  const { platform, caller } = c.var
  const name = nameIn(c)
  if (c.req.query('force') === 'true') demand(caller, 'admin')
  else await refuseLoaded(platform, name, version)
  const outcome = await platform.registry((all) => all.delete(name, version))
  if (outcome.kind === 'not-found') throw noSuchModel(name)
  if (outcome.kind === 'aliased') {
    const detail = `Version ${outcome.version} of ${name} is what ${name}@${outcome.alias} means, or is about to; set the alias to another, or delete it first.`
    throw new ProblemError({ kind: 'model-in-use', detail })
  }
  if (outcome.kind === 'in-use') {
    const detail = `${outcome.requests} requests to version ${outcome.version} of ${name} are under way.`
    throw new ProblemError({ kind: 'model-in-use', detail, retryAfterMs: 5_000 })
  }
  await sweep(platform)
  return c.body(null, 204)
}

async function refuseLoaded(platform: Platform, name: string, version: string | undefined): Promise<void> {
  const found = await platform.relay().nodesWith(name, version)
  if (!found.ok) throw new ProblemError(found.problem)
  if (found.nodes.length === 0) return
  const detail = `${found.nodes.join(', ')} ${found.nodes.length > 1 ? 'have' : 'has'} it in memory.`
  throw new ProblemError({ kind: 'model-in-use', detail })
}

/** What valibot cannot say of a manifest. @throws ProblemError invalid-request */
function checkDraft(draft: NewVersion, name: string): void {
  const invalid = (rule: string) =>
    new ProblemError({ kind: 'invalid-request', detail: `The body is not valid: ${rule}.` })
  if (draft.name !== undefined && draft.name !== name) throw invalid('name: is not that of the path')
  const paths = draft.files.map((file) => file.path)
  const twice = paths.find((path, index) => paths.indexOf(path) !== index)
  if (twice !== undefined) throw invalid('files: two have the same path')
  const inside = paths.find((path) => paths.some((other) => path.startsWith(`${other}/`)))
  if (inside !== undefined) throw invalid('files: a path is also the folder of another')
  const long = paths.some((path) => path.length > MAX_PATH || path.split('/').some((part) => part.length > MAX_NAME))
  if (long) throw invalid(`files: a path is longer than ${MAX_PATH}, or a name in it than ${MAX_NAME}`)
  const sizes = new Map<string, number>()
  for (const { sha256, bytes } of draft.files) {
    if ((sizes.get(sha256) ?? bytes) !== bytes) throw invalid('files: one SHA-256 has two sizes')
    sizes.set(sha256, bytes)
  }
  const text = JSON.stringify(draft)
  if (text.includes('\\u0000') || /\\ud[89a-f]/i.test(text)) throw invalid('a text has a character that none may have')
}

function nameIn(c: Context<EdgeContext>): string {
  const name = v.safeParse(ModelName, c.req.param('name'))
  if (!name.success) throw noSuchModel()
  return name.output
}

async function requireModel(platform: Platform, name: string): Promise<RegisteredModelView> {
  const found = await platform.registry((all) => all.model(name))
  if (!found) throw noSuchModel(name)
  return modelView(found.model, found.versions)
}

async function requireVersion(c: Context<EdgeContext>): Promise<VersionView> {
  const name = nameIn(c)
  const version = v.safeParse(ModelVersion, c.req.param('version'))
  const found = version.success ? await c.var.platform.registry((all) => all.version(name, version.output)) : undefined
  if (!found) throw new ProblemError({ kind: 'model-not-found', detail: `There is no such version of ${name}.` })
  return versionView(found)
}

const modelView = ({ name, createdAt, ...model }: Model, versions: readonly Version[]): RegisteredModelView => ({
  modelID: name,
  ...model,
  createdAt: isoTime(createdAt.getTime()),
  versions: versions.map(versionView),
})

function versionView({ model, status, problem, createdAt, ...version }: Version): VersionView {
  return {
    modelID: model,
    ...version,
    // The recorder sees a moment later that the last file has come.
    status: status === 'uploading' && version.missing.length === 0 ? 'checking' : status,
    ...(problem && { problem }),
    createdAt: isoTime(createdAt.getTime()),
  }
}

const noSuchModel = (name?: string) =>
  new ProblemError({
    kind: 'model-not-found',
    detail: name === undefined ? 'There is no such model.' : `There is no model ${name} in the registry.`,
  })
