import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { describeIssues } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { defaultBudget } from '../memory-budget.ts'
import { PinnedModels } from '../pinned-models.ts'

const MB = 2 ** 20

const whole = (minimum: number, maximum: number) =>
  v.pipe(v.string(), v.digits(), v.toNumber(), v.minValue(minimum), v.maxValue(maximum))

/** A few: they hold no models until some are loaded, but each is a process. */
const hosts = () => String(Math.min(8, Math.max(2, availableParallelism())))

const memory = () => String(Math.ceil(defaultBudget() / MB))

/** Every option, with its default and what `--help` says of it. */
export const ServeOptions = v.strictObject({
  models: v.pipe(v.string('which folder?'), v.minLength(1), v.description('the folder: <name>/<version>/model.onnx')),
  http: v.optional(v.pipe(whole(0, 65_535), v.description('the port; 0 takes a free one')), '8000'),
  host: v.optional(
    v.pipe(v.string(), v.minLength(1), v.description('the address to listen at; 0.0.0.0 for all')),
    '127.0.0.1',
  ),
  watch: v.optional(
    v.pipe(v.boolean(), v.description('take up new models and versions, and let go of those that are gone')),
    false,
  ),
  load: v.optional(
    v.pipe(
      v.picklist(['start', 'use']),
      v.description('start: the highest version of every model, before it is ready; use: at the first request'),
    ),
    'start',
  ),
  hosts: v.optional(
    v.pipe(whole(1, 256), v.description('processes that run models; each model is in one of them')),
    hosts,
  ),
  'memory-mb': v.optional(
    v.pipe(
      whole(1, 1_048_576),
      v.description('MB for models in memory; beyond it those go that were used longest ago'),
    ),
    memory,
  ),
  pin: v.optional(
    v.pipe(PinnedModels, v.description('models that stay in memory once they are there, such as iris,storyteller@2')),
  ),
  threads: v.optional(v.pipe(whole(1, 256), v.description('threads that one run of a model may use')), '1'),
  'max-batch': v.optional(
    v.pipe(whole(0, 1_000_000), v.description('rows in one run of a model without a manifest; 0 turns batching off')),
    '64',
  ),
  'hang-ms': v.optional(
    v.pipe(
      whole(1, 86_400_000),
      v.description('ms that a run of a model without a manifest may take before its host is replaced'),
    ),
    '30000',
  ),
  'max-requests': v.optional(
    v.pipe(whole(1, 1_000_000), v.description('requests at a time; more are answered 503')),
    '4096',
  ),
  'max-body-mb': v.optional(v.pipe(whole(1, 65_536), v.description('MB in one request')), '64'),
  'max-waiting-mb': v.optional(
    v.pipe(whole(1, 1_048_576), v.description('MB in all requests at a time; more are answered 503')),
    '512',
  ),
  'drain-ms': v.optional(
    v.pipe(whole(0, 600_000), v.description('ms that running requests have to end when it is stopped')),
    '25000',
  ),
  'exit-with-parent': v.optional(
    v.pipe(v.boolean(), v.description('stop when standard input is closed, as it is when the parent dies')),
    false,
  ),
  'metric-labels': v.optional(
    v.pipe(v.picklist(['model', 'version', 'none']), v.description('what metrics tell apart')),
    'version',
  ),
})
export type ServeOptions = v.InferOutput<typeof ServeOptions>

/** @throws Error that names every option that is wrong and the rule */
export function parseOptions(args: readonly string[]): ServeOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      ...Object.fromEntries(
        Object.entries(ServeOptions.entries).map(
          ([name, schema]) => [name, { type: v.getDefault(schema) === false ? 'boolean' : 'string' }] as const,
        ),
      ),
    },
  })
  const { help, ...given } = values
  if (help) return 'help'
  const parsed = v.safeParse(ServeOptions, given)
  if (parsed.success) return parsed.output
  throw new Error(`--${describeIssues(parsed.issues).replaceAll('; ', '; --')}`)
}

export function optionsHelp(): string {
  const lines = Object.entries(ServeOptions.entries).map(([name, schema]) => {
    const fallback = v.getDefault(schema)
    const suffix = fallback === undefined || fallback === false ? '' : ` (${fallback})`
    const described = 'wrapped' in schema ? schema.wrapped : schema
    return `  --${name.padEnd(16)} ${v.getDescription(described)}${suffix}`
  })
  return [
    'Serves a folder of models by the Open Inference Protocol v2, on this machine alone.',
    '',
    '  bun run serve --models DIR [--http PORT]',
    '',
    ...lines,
  ].join('\n')
}
