import { parseArgs } from 'node:util'
import { autoscale, parseRange } from '../autoscale.ts'
import { configHelp, parseConfig } from '../config.ts'
import { LogFollower } from '../log-follower.ts'
import { onSignals } from '../signals.ts'
import { Stack } from '../stack.ts'
import { explain } from '../stack-error.ts'
import { StateDir } from '../state-dir.ts'
import { readStatus, statusTable } from '../status.ts'

const HELP = `bun run dev [options]          starts Oriel on this machine and stays; Ctrl-C stops it
bun run dev status [--json]    the parts of the stack that runs: state, address, process id

Options:
  --nodes N              how many nodes, 1 or more (1)
  --autoscale MIN..MAX   starts and stops nodes as jobs wait
  --edge wrangler|workerd  the edge under wrangler, which reloads it when you edit, or on plain workerd (wrangler)
  --verbose              show the logs of all parts

Environment:
${configHelp()}`

try {
  const { values, positionals } = parseArgs({
    // `dev status -- --json`, as people are used to from npm, means the same as without the dashes.
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      json: { type: 'boolean' },
      nodes: { type: 'string', default: '1' },
      autoscale: { type: 'string' },
      edge: { type: 'string', default: 'wrangler' },
      verbose: { type: 'boolean' },
    },
  })
  const [verb, ...more] = positionals
  if (values.help) console.log(HELP)
  else if (verb === 'status' && more.length === 0) await status(values.json ?? false)
  else if (verb === undefined) await run(values)
  else usage(`dev does not know ${positionals.join(' ')}`)
} catch (error) {
  if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
    usage(error.message)
  }
  console.error(explain(error))
  process.exit(1)
}

async function status(json: boolean): Promise<void> {
  const dir = new StateDir(parseConfig(process.env).ORIEL_STATE_DIR)
  const found = await readStatus(dir)
  if (json) {
    const parts = found?.parts.map(({ name, kind, pid, address }) => ({ name, kind, pid, address })) ?? []
    console.log(JSON.stringify({ url: found?.url ?? null, parts }))
  } else console.log(found ? statusTable(found) : `No stack runs in ${dir.path}. Start one with: bun run dev`)
  process.exit(found ? 0 : 1)
}

/** A local stack is there to be looked at: nodes come and go within seconds. */
const SCALE = { maxWaitMs: 1_000, upAfterMs: 3_000, downAfterMs: 30_000 }

interface RunValues {
  readonly nodes: string
  readonly edge: string
  readonly autoscale?: string | undefined
  readonly verbose?: boolean | undefined
}

async function run(values: RunValues): Promise<void> {
  const nodes = Number(values.nodes)
  if (!/^\d{1,3}$/.test(values.nodes) || nodes === 0) usage('--nodes takes a number of 1 or more')
  const edge = values.edge
  if (edge !== 'wrangler' && edge !== 'workerd') return usage('--edge takes wrangler or workerd')
  const range = values.autoscale === undefined ? undefined : parseRange(values.autoscale)
  if (values.autoscale !== undefined && !range) usage('--autoscale takes MIN..MAX, as in 1..4')
  const config = parseConfig(process.env)
  console.log('Oriel is starting …')
  const log = (line: string) => console.log(line)
  const { ORIEL_STATE_DIR: stateDir, ORIEL_PORT: port, ORIEL_PARTITIONS: partitions } = config
  const stack = await Stack.open({ stateDir, port, nodes, edge, partitions, log })
  const follower = values.verbose ? new LogFollower(new StateDir(stack.stateDir).logs, log) : undefined
  const stopped = onSignals(
    (why) => {
      log(why ? `stopping: ${why} …` : 'stopping …')
      return stack.stop()
    },
    () => stack.killAll(),
  )
  try {
    await Promise.race([stack.start(), stopped])
    if (!stopped.signal.aborted) {
      console.log(`ready ${stack.url}`)
      const unavailable = await Promise.race([stack.unavailableModels(), stopped])
      if (!stopped.signal.aborted) for (const line of unavailable ?? []) console.log(line)
      const end = range && autoscale(stack, { ...SCALE, ...range }, log)
      await Promise.race([stack.failed, stopped])
      await end?.()
    }
  } catch (error) {
    // While it stops, whatever was still starting fails: that is no news.
    if (!stopped.signal.aborted) {
      await stack.stop()
      follower?.stop()
      throw error
    }
  }
  await stopped
  follower?.stop()
  process.exit(0)
}

function usage(why: string): never {
  console.error(`${why}\n\n${HELP}`)
  process.exit(2)
}
