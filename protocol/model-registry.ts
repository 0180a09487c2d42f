import * as v from 'valibot'
import { Sha256 } from './artifact.ts'
import { Manifest, ModelName, ModelVersion } from './manifest.ts'
import { Problem } from './problem.ts'

/** Bodies of the HTTP API for models and their files. */

const Timestamp = v.pipe(v.string(), v.isoTimestamp())
const line = v.pipe(v.string(), v.regex(/^[^\p{Cc}\p{Cs}]{1,200}$/u))
/** PostgreSQL takes no NUL, and nobody takes half a character. */
const text = v.pipe(v.string(), v.regex(/^[^\0\p{Cs}]{0,4000}$/u))

const about = {
  /** The person or team who answers for it, and where they are reached. */
  owner: v.optional(line),
  contact: v.optional(line),
  description: v.optional(text),
  /** In the words of whoever runs Oriel: what it is for, such as `production` or `trial`. */
  environment: v.optional(line),
}
export const NewModel = v.strictObject({ name: ModelName, ...about })
export const ModelChange = v.strictObject(about)
export type ModelChange = v.InferOutput<typeof ModelChange>

const { name: _, version: __, engine, limits, ...described } = Manifest.entries

/** A manifest; what is left out of it has a default, comes from the path, or is read from the graph. */
export const NewVersion = v.strictObject({
  ...described,
  name: v.optional(ModelName),
  /** The next number unless given. */
  version: v.optional(ModelVersion),
  engine: v.optional(engine, 'tensor'),
  limits: v.optional(limits, { timeoutMs: 60_000, maxBatch: 32, concurrency: 64 }),
})
export type NewVersion = v.InferOutput<typeof NewVersion>

export const VersionChange = v.strictObject({ deprecated: v.boolean() })

/**
 * `announced`: in some nodes' folders, not registered. `uploading`: files are missing. `checking`: a node is to open it.
 * `ready`: it takes requests. `refused`: see the problem. `deleted`: its number is not used again.
 */
export const VERSION_STATUSES = ['announced', 'uploading', 'checking', 'ready', 'refused', 'deleted'] as const
export type VersionStatus = (typeof VERSION_STATUSES)[number]

export const VersionView = v.object({
  modelID: ModelName,
  version: ModelVersion,
  status: v.picklist(VERSION_STATUSES),
  manifest: Manifest,
  /** Files that have to be uploaded still. */
  missing: v.array(Sha256),
  problem: v.optional(Problem),
  deprecated: v.boolean(),
  createdBy: v.nullable(v.string()),
  createdAt: Timestamp,
})
export type VersionView = v.InferOutput<typeof VersionView>

export const RegisteredModelView = v.object({
  modelID: ModelName,
  owner: v.nullable(v.string()),
  contact: v.nullable(v.string()),
  description: v.string(),
  environment: v.nullable(v.string()),
  /** False: it is in some nodes' folders, and nobody has registered it. */
  registered: v.boolean(),
  createdBy: v.nullable(v.string()),
  createdAt: Timestamp,
  /** Newest first. */
  versions: v.array(VersionView),
})
export type RegisteredModelView = v.InferOutput<typeof RegisteredModelView>

/** What models are searched by. */
export const SearchWords = v.pipe(v.string(), v.regex(/^[^\p{Cc}\p{Cs}]{0,200}$/u))

/** What is registered, whether it can be asked or not yet. */
export const RegistryPage = v.object({
  models: v.array(RegisteredModelView),
  nextCursor: v.nullable(v.string()),
  limit: v.number(),
})

const MiB = 1024 * 1024
/** R2 and S3 take no smaller part, but for the last. */
export const MIN_PART_BYTES = 5 * MiB
export const MAX_PART_BYTES = 64 * MiB
export const MAX_PARTS = 10_000

const whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most))

export const NewUpload = v.strictObject({
  sha256: Sha256,
  bytes: whole(0, MAX_PARTS * MAX_PART_BYTES),
  partBytes: v.optional(whole(MIN_PART_BYTES, MAX_PART_BYTES), 16 * MiB),
})
export type NewUpload = v.InferOutput<typeof NewUpload>

export const UploadView = v.object({
  sha256: Sha256,
  bytes: v.number(),
  /** `open`: takes parts. `completing`: is put together and its SHA-256 verified. `stored`: is there, whole. */
  status: v.picklist(['open', 'completing', 'stored']),
  /** Of each part but the last, which is what remains. */
  partBytes: v.number(),
  /** How many parts the file has, 1, 2, 3 …, and which of them are there. */
  parts: v.number(),
  present: v.array(v.number()),
})
export type UploadView = v.InferOutput<typeof UploadView>
