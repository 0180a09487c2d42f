import * as v from 'valibot'
import { HOST } from './ports.ts'

/** What wrangler.toml says of the Worker, as far as plain workerd has to be told. */
export const WranglerConfig = v.object({
  compatibility_date: v.pipe(v.string(), v.isoDate()),
  compatibility_flags: v.optional(v.array(v.string()), []),
  durable_objects: v.object({ bindings: v.array(v.object({ name: v.string(), class_name: v.string() })) }),
})
export type WranglerConfig = v.InferOutput<typeof WranglerConfig>

export interface WorkerdOptions {
  readonly port: number
  /** The bundle, relative to the configuration's own folder. */
  readonly bundle: string
  /** An existing folder for the actors' storage. */
  readonly storageDir: string
  /** An existing folder for the files of models, if the Worker keeps any. */
  readonly artifactsDir?: string
  /** Variables that the Worker takes from workerd's environment, so that no file or argument holds a secret. */
  readonly variables: readonly string[]
}

/** A configuration for `workerd serve`: the same Worker and actors as under wrangler, without its proxy. */
export function workerdConfig(config: WranglerConfig, options: WorkerdOptions): string {
  const { bindings } = config.durable_objects
  const variables = options.variables.map((name) => `(name = ${quote(name)}, fromEnvironment = ${quote(name)})`)
  const actors = bindings.map(
    ({ name, class_name }) => `(name = ${quote(name)}, durableObjectNamespace = ${quote(class_name)})`,
  )
  const { artifactsDir } = options
  const files = artifactsDir === undefined ? [] : ['(name = "ARTIFACTS_DISK", service = "artifacts")']
  const folder =
    artifactsDir === undefined
      ? ''
      : `\n    (name = "artifacts", disk = (path = ${quote(artifactsDir)}, writable = true)),`
  const classes = bindings.map(
    ({ class_name }) =>
      `(className = ${quote(class_name)}, uniqueKey = ${quote(`oriel-${class_name}`)}, enableSql = true)`,
  )
  return `# Written by \`bun run dev --edge workerd\` at every start; changes are lost.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    # NATS and PostgreSQL are on this machine, the keys of an identity provider may be anywhere.
    (name = "internet", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true))),
    (name = "storage", disk = (path = ${quote(options.storageDir)}, writable = true)),${folder}
  ],
  sockets = [(name = "http", address = ${quote(`${HOST}:${options.port}`)}, http = (), service = "edge")],
);

const edge :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${quote(options.bundle)})],
  compatibilityDate = ${quote(config.compatibility_date)},
  compatibilityFlags = [${config.compatibility_flags.map(quote).join(', ')}],
  bindings = [
    ${[...variables, ...actors, ...files].join(',\n    ')},
  ],
  durableObjectNamespaces = [
    ${classes.join(',\n    ')},
  ],
  durableObjectStorage = (localDisk = "storage"),
  globalOutbound = "internet",
);
`
}

const quote = (text: string) => JSON.stringify(text)
