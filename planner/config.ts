import { hostname } from 'node:os'
import { describeIssues } from '@oriel/protocol/problem'
import * as v from 'valibot'

const text = v.pipe(v.string(), v.minLength(1))
const whole = (minimum: number, maximum: number) =>
  v.pipe(v.string(), v.digits(), v.toNumber(), v.minValue(minimum), v.maxValue(maximum))

export const Config = v.object({
  ORIEL_NATS_URL: v.optional(
    v.pipe(text, v.description('Addresses of the broker, separated by commas.')),
    'nats://127.0.0.1:4222',
  ),
  ORIEL_NATS_USER: v.optional(v.pipe(text, v.description('The identity at the broker.')), 'planner'),
  ORIEL_NATS_PASSWORD: v.optional(v.pipe(text, v.description('The password of that identity.'))),
  ORIEL_PLANNER_NAME: v.optional(
    v.pipe(text, v.description('The name of this planner, which no other may have.')),
    () => `${hostname()}-${process.pid}`,
  ),
  ORIEL_PLAN_EVERY_MS: v.optional(
    v.pipe(whole(1_000, 86_400_000), v.description('Between two plans, when no node or model comes or goes.')),
    '300000',
  ),
  ORIEL_VOLUME_HALF_LIFE_MS: v.optional(
    v.pipe(whole(1_000, 604_800_000), v.description('After this long a request counts for half.')),
    '1800000',
  ),
  ORIEL_HTTP_PORT: v.optional(
    v.pipe(whole(0, 65_535), v.description('Where /metrics, /backlog and /healthz are served; 0: nowhere.')),
    '0',
  ),
  ORIEL_HTTP_HOST: v.optional(v.pipe(text, v.description('The address that it listens on.')), '127.0.0.1'),
  ORIEL_AUTOSCALE: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[1-9][0-9]{0,3}\.\.[1-9][0-9]{0,3}$/, 'must be min..max'),
      v.transform((text) => text.split('..').map(Number)),
      v.transform(([min = 1, max = 1]) => ({ min, max })),
      v.check(({ min, max }) => min <= max, 'min must not be more than max'),
      v.description('How many nodes there may be, min..max. With it the command is called.'),
    ),
  ),
  ORIEL_AUTOSCALE_COMMAND: v.optional(
    v.pipe(
      text,
      v.description(
        'What changes the number of nodes, for sh: it finds ORIEL_NODES, ORIEL_NODES_NOW, ORIEL_IDLE_NODES.',
      ),
    ),
  ),
  ORIEL_SCALE_UP_MS: v.optional(
    v.pipe(whole(0, 3_600_000), v.description('How long nodes must have been too few.')),
    '10000',
  ),
  ORIEL_SCALE_DOWN_MS: v.optional(
    v.pipe(whole(0, 86_400_000), v.description('How long nodes must have been too many.')),
    '300000',
  ),
  ORIEL_SCALE_WAIT_MS: v.optional(
    v.pipe(whole(1, 3_600_000), v.description('Nodes are too few when jobs wait longer than this.')),
    '5000',
  ),
  ORIEL_EXIT_WITH_PARENT: v.optional(
    v.pipe(v.picklist(['0', '1']), v.description('1: stop when standard input is closed, as when the parent dies.')),
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
    return `  ${name.padEnd(26)} ${v.getDescription(schema.wrapped)}${fallback === undefined ? '' : ` (${fallback})`}`
  })
  return ['Plans which model is where. Any number may run; one of them plans.', '', 'Environment:', ...lines].join('\n')
}
