import { availableParallelism, hostname } from 'node:os'
import { describeIssues } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { defaultBudget } from './memory-budget.ts'
import { PinnedModels } from './pinned-models.ts'

const text = v.pipe(v.string(), v.minLength(1))
const whole = (minimum: number, maximum: number) =>
  v.pipe(v.string(), v.digits(), v.toNumber(), v.minValue(minimum), v.maxValue(maximum))
const flag = v.pipe(
  v.picklist(['0', '1']),
  v.transform((value) => value === '1'),
)

/** A node's name stands in a key of the nodes bucket. */
const nodeName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/))
const ownName = () =>
  `${
    hostname()
      .replace(/[^A-Za-z0-9-]/g, '-')
      .replace(/^-+/, '') || 'node'
  }-${process.pid}`
/** Two at least, so that a slow model has not every other one behind it. */
const cores = () => String(Math.max(2, availableParallelism()))

const memory = () => String(defaultBudget())

export const Config = v.object({
  ORIEL_NATS_URL: v.optional(
    v.pipe(text, v.description('Addresses of the broker, separated by commas.')),
    'nats://127.0.0.1:4222',
  ),
  ORIEL_NATS_USER: v.optional(v.pipe(text, v.description('The identity at the broker, if it asks for one.'))),
  ORIEL_NATS_PASSWORD: v.optional(v.pipe(text, v.description('The password of that identity.'))),
  ORIEL_NODE_NAME: v.optional(
    v.pipe(nodeName, v.description('The name of this node, which no other may have: letters, digits, - and _.')),
    ownName,
  ),
  ORIEL_MODELS_DIR: v.optional(
    v.pipe(text, v.description('The folder of the models: <name>/<version>/manifest.json.')),
    'models',
  ),
  ORIEL_ARTIFACTS_URL: v.optional(
    v.pipe(text, v.url(), v.description('The edge, where the files of registered models are fetched if not from S3.')),
  ),
  ORIEL_ARTIFACTS_TOKEN: v.optional(v.pipe(text, v.description("The edge's NODE_TOKEN."))),
  ORIEL_S3_BUCKET: v.optional(v.pipe(text, v.description('The bucket with the files of registered models.'))),
  ORIEL_S3_ENDPOINT: v.optional(v.pipe(text, v.url(), v.description('Where it is, by the S3 API.'))),
  ORIEL_S3_REGION: v.optional(v.pipe(text, v.description('Its region.')), 'auto'),
  ORIEL_S3_ACCESS_KEY_ID: v.optional(v.pipe(text, v.description('A key that may read it.'))),
  ORIEL_S3_SECRET_ACCESS_KEY: v.optional(v.pipe(text, v.description('The secret of that key.'))),
  ORIEL_CACHE_DIR: v.optional(
    v.pipe(text, v.description("This node's own folder for files of registered models. Needed to fetch them.")),
  ),
  ORIEL_CACHE_BYTES: v.optional(
    v.pipe(whole(1, Number.MAX_SAFE_INTEGER), v.description('How many bytes that folder may have.')),
    '50000000000',
  ),
  ORIEL_HOSTS: v.optional(
    v.pipe(
      whole(1, 1024),
      v.description('How many processes run models; as many as there are cores, and two at least.'),
    ),
    cores,
  ),
  ORIEL_MEMORY_BYTES: v.optional(
    v.pipe(
      whole(1, Number.MAX_SAFE_INTEGER),
      v.description('Memory for models; six tenths of what the machine, or its container, has.'),
    ),
    memory,
  ),
  ORIEL_PINNED_MODELS: v.optional(
    v.pipe(PinnedModels, v.description('Models that stay in memory once they are there, such as iris,storyteller@2.')),
  ),
  ORIEL_SLOTS: v.optional(v.pipe(whole(1, 10_000), v.description('Jobs at a time, per partition.')), '32'),
  ORIEL_HELP_AFTER_MS: v.optional(
    v.pipe(
      whole(0, 600_000),
      v.description('How long jobs that are at home elsewhere must wait before a model is loaded for them.'),
    ),
    '1000',
  ),
  ORIEL_COALESCE_MS: v.optional(
    v.pipe(whole(0, 1_000), v.description('The least time between two events of responses; what comes sooner joins.')),
    '5',
  ),
  ORIEL_DRAIN_MS: v.optional(
    v.pipe(whole(0, 600_000), v.description('How long running jobs may take to finish when the node is stopped.')),
    '25000',
  ),
  ORIEL_EXIT_WITH_PARENT: v.optional(
    v.pipe(flag, v.description('1: stop when standard input is closed, as it is when the parent dies.')),
    '0',
  ),
})
export type Config = v.InferOutput<typeof Config>

/** @throws Error that names every variable that is wrong and the rule, never the value */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  // An empty variable is one that was not set: compose files and shells cannot always leave it out.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = v.safeParse(Config, set)
  if (!parsed.success) throw new Error(`The configuration is wrong. ${describeIssues(parsed.issues)}`)
  return parsed.output
}

export function configHelp(): string {
  const lines = Object.entries(Config.entries).map(([name, schema]) => {
    const fallback = v.getDefault(schema)
    const suffix = fallback === undefined ? '' : ` (${fallback})`
    return `  ${name.padEnd(23)} ${v.getDescription(schema.wrapped)}${suffix}`
  })
  return ['A node of Oriel: takes jobs from the broker and runs models.', '', 'Environment:', ...lines].join('\n')
}
