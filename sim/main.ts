import { parseArgs } from 'node:util'
import { report } from './placement/report.ts'
import { type SimOptions, simulate } from './placement/run.ts'

const HELP = `bun run sim placement [options]    where models are placed, over a day that is made up

Options, and what they are when they are not given:
  --models N       models at the beginning (10000)
  --nodes N        nodes at the beginning (20)
  --hours N        how long (24)
  --rate N         requests in a second, over all models (20)
  --zipf X         how unevenly they go over the models (1)
  --memory GB      of models that a node holds (32)
  --partitions N   of the plan; the last is for models that are not mapped yet (64)
  --arrivals N     new models in an hour (20)
  --churn N        nodes that leave in an hour; another comes for each (0.5)
  --drift N        models in a hundred that change places in an hour with another, in how much is asked of them (1)
  --seed N         the same seed is the same day (1)
  --json           the result for programs`

const defaults = {
  models: '10000',
  nodes: '20',
  hours: '24',
  rate: '20',
  zipf: '1',
  memory: '32',
  partitions: '64',
  arrivals: '20',
  churn: '0.5',
  drift: '1',
  seed: '1',
}
const atLeast: Partial<Record<keyof typeof defaults, number>> = {
  models: 1,
  nodes: 1,
  hours: 1,
  rate: 0.01,
  memory: 2,
  partitions: 2,
}

try {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      json: { type: 'boolean' },
      ...Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' as const }])),
    },
  })
  if (values.help || positionals.length === 0) {
    console.log(HELP)
    process.exit(values.help ? 0 : 2)
  }
  if (positionals.join(' ') !== 'placement') throw new RangeError(`sim does not know ${positionals.join(' ')}`)
  const given: Readonly<Record<string, unknown>> = values
  const number = (name: keyof typeof defaults) => {
    const value = Number(given[name] ?? defaults[name])
    const least = atLeast[name] ?? 0
    if (!Number.isFinite(value) || value < least) throw new RangeError(`--${name} takes a number of ${least} or more`)
    return value
  }
  const whole = (name: keyof typeof defaults) => Math.round(number(name))
  const options: SimOptions = {
    models: whole('models'),
    nodes: whole('nodes'),
    hours: whole('hours'),
    rate: number('rate'),
    zipf: number('zipf'),
    memory: number('memory') * 1e9,
    partitions: whole('partitions'),
    arrivals: number('arrivals'),
    churn: number('churn'),
    drift: number('drift'),
    seed: whole('seed'),
  }
  const result = simulate(options)
  console.log(values.json ? JSON.stringify(result) : report(result))
} catch (error) {
  const isUsage = error instanceof RangeError || (error instanceof TypeError && 'code' in error)
  if (!isUsage) throw error
  console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`)
  process.exit(2)
}
