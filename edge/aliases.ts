import type { Alias } from '@oriel/db/aliases'
import { AliasChange, AliasName, type AliasView } from '@oriel/protocol/alias'
import { isoTime } from '@oriel/protocol/iso-time'
import { ModelName } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import type { Context } from 'hono'
import { Hono } from 'hono'
import * as v from 'valibot'
import { parse, readJson } from './body.ts'
import { limitBody } from './body-limit.ts'
import type { EdgeContext } from './context.ts'
import { allow, authenticate } from './context.ts'
import type { Platform } from './platform.ts'

const MAX_BYTES = 10_000

/** Names for versions: what `name@production` means, and what it is about to mean. */
export const aliases = new Hono<EdgeContext>()

aliases.get('/:name/aliases', authenticate, async (c) => {
  const { platform } = c.var
  const modelID = nameIn(c)
  const found = await requireAliases(platform, modelID)
  return c.json({ modelID, aliases: await Promise.all(found.map((one) => viewOf(platform, modelID, one))) })
})

aliases.get('/:name/aliases/:alias', authenticate, async (c) => {
  const { platform } = c.var
  const name = nameIn(c)
  return c.json(await requireAlias(platform, name, aliasIn(c, name)))
})

/** Answers at once. The alias means the version when nodes have it warm, or keeps its meaning when one cannot. */
aliases.put('/:name/aliases/:alias', authenticate, allow('models'), limitBody(MAX_BYTES), async (c) => {
  const { platform, user } = c.var
  const name = nameIn(c)
  const alias = parse(AliasName, c.req.param('alias'), 'alias')
  const { version } = await readJson(c, AliasChange)
  const outcome = await platform.aliases((all) => all.set(name, alias, version, user))
  if (outcome === 'no-model') throw noSuchModel(name)
  if (outcome === 'no-version') {
    const detail = `There is no version ${version} of ${name} that can be asked: it has to be ready.`
    throw new ProblemError({ kind: 'model-not-found', detail })
  }
  const view = await requireAlias(platform, name, alias)
  c.header('Location', `/models/${name}/aliases/${alias}`)
  return c.json(view, view.switch ? 202 : 200)
})

aliases.delete('/:name/aliases/:alias', authenticate, allow('models'), async (c) => {
  const { platform, user } = c.var
  const name = nameIn(c)
  const alias = aliasIn(c, name)
  if (!(await platform.aliases((all) => all.remove(name, alias, user)))) throw noSuchAlias(name)
  return c.body(null, 204)
})

function nameIn(c: Context<EdgeContext>): string {
  const name = c.req.param('name') ?? ''
  if (!v.is(ModelName, name)) throw noSuchModel(undefined)
  return name
}

function aliasIn(c: Context<EdgeContext>, name: string): string {
  const alias = c.req.param('alias') ?? ''
  if (!v.is(AliasName, alias)) throw noSuchAlias(name)
  return alias
}

async function requireAliases(platform: Platform, name: string): Promise<Alias[]> {
  const found = await platform.aliases((all) => all.of(name))
  if (!found) throw noSuchModel(name)
  return found
}

async function requireAlias(platform: Platform, name: string, alias: string): Promise<AliasView> {
  const found = (await requireAliases(platform, name)).find((one) => one.alias === alias)
  if (!found) throw noSuchAlias(name)
  return viewOf(platform, name, found)
}

async function viewOf(platform: Platform, name: string, one: Alias): Promise<AliasView> {
  const { alias, version, wanted, failure, changedBy, changedAt } = one
  const warm = async (version: string | null) => {
    if (version === null) return []
    const found = await platform.relay().nodesWith(name, version)
    if (!found.ok) throw new ProblemError(found.problem)
    return found.nodes
  }
  return {
    alias,
    version,
    nodes: await warm(version),
    ...(wanted !== null && { switch: { version: wanted, nodes: await warm(wanted) } }),
    ...(failure && { failure }),
    changedBy,
    changedAt: isoTime(changedAt.getTime()),
  }
}

const noSuchModel = (name: string | undefined) =>
  new ProblemError({
    kind: 'model-not-found',
    detail: name === undefined ? 'There is no such model.' : `There is no model ${name}.`,
  })

const noSuchAlias = (name: string) => new ProblemError({ kind: 'not-found', detail: `${name} has no such alias.` })
