import * as v from 'valibot'
import { ModelName, ModelVersion } from './manifest.ts'
import { Problem } from './problem.ts'

/** What a model's name means without a version, where it is set. */
export const DEFAULT_ALIAS = 'production'
/** Not an alias that anybody sets: the highest version that can be run. */
export const LATEST = 'latest'

/** Objects in JSON cannot have the others as keys: the validator leaves them out. */
const RESERVED = [LATEST, 'constructor', 'prototype']

/** A name for one version of a model, such as `production` or `staging`. No number, so that it is never taken for one. */
export const AliasName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9_-]{0,63}$/),
  v.check((name) => !RESERVED.includes(name), 'the name has another meaning already'),
)

/** A value of the aliases bucket, at the model's name: which version each alias means. */
export const ModelAliases = v.record(AliasName, ModelVersion)
export type ModelAliases = v.InferOutput<typeof ModelAliases>

/** A model as requests name it: `name`, `name@3`, `name@production` or `name@latest`. */
export const ModelReference = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}(@[A-Za-z0-9][A-Za-z0-9_-]{0,63})?$/),
)

export const AliasChange = v.strictObject({ version: ModelVersion })

export const AliasView = v.object({
  alias: AliasName,
  /** That it means now. `null`: none yet. */
  version: v.nullable(ModelVersion),
  /** Nodes that have this version in memory. */
  nodes: v.array(v.string()),
  /** Under way: nodes load and warm this version; then the alias means it. */
  switch: v.optional(v.object({ version: ModelVersion, nodes: v.array(v.string()) })),
  /** Why the last switch failed, and to which version it was. What the alias means did not change. */
  failure: v.optional(v.object({ version: ModelVersion, problem: Problem })),
  changedBy: v.string(),
  changedAt: v.pipe(v.string(), v.isoTimestamp()),
})
export type AliasView = v.InferOutput<typeof AliasView>

export const AliasList = v.object({ modelID: ModelName, aliases: v.array(AliasView) })
