import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startStack } from '@oriel/dev/stack'
import { startBare } from './bare.ts'
import { BENCHMARKS } from './benchmarks.ts'
import { type Result, table } from './result.ts'
import { main as raceServers } from './rivals/main.ts'
import { startTicker } from './ticker.ts'

const help = `bun run bench [name …] [--json]

Measures the edge on plain workerd, and a node, against limits taken in the same run. Ratios above 1 are better than the
limit. Machines differ and are noisy: compare ratios, not figures.

${Object.entries(BENCHMARKS)
  .map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`)
  .join('\n')}

  servers  a node alone beside Triton and other model servers from PyPI; not in a run of all, and with options of its own:
           see bun run bench servers --help

  --json   [{ name, unit, value, limit, ratio }] on stdout instead of a table`

if (process.argv[2] === 'servers') process.exit(await raceServers(process.argv.slice(3)))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}
const unknown = positionals.filter((name) => !Object.hasOwn(BENCHMARKS, name))
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}.\n\n${help}`)
  process.exit(2)
}
const chosen = Object.entries(BENCHMARKS).filter(([name]) => positionals.length === 0 || positionals.includes(name))

/** One user sends it all. */
const UNLIMITED = { LIMIT_PER_SECOND: '1000000', LIMIT_BURST: '1000000' }

const say = (line: string) => console.error(line)
const results: Result[] = []
for (const [name, benchmark] of chosen) {
  if (!benchmark.alone) continue
  say(`${name}: ${benchmark.about}`)
  results.push(...(await benchmark.run()))
}
if (chosen.some(([, { alone }]) => !alone)) results.push(...(await inAStack()))
console.log(values.json ? JSON.stringify(results, undefined, 2) : table(results))

async function inAStack(): Promise<Result[]> {
  const found: Result[] = []
  const dir = mkdtempSync(join(tmpdir(), 'oriel-bench-'))
  chmodSync(dir, 0o711) // as root, PostgreSQL runs as another user, who must get in
  try {
    say('starting the stack')
    const stack = await startStack({ stateDir: dir, nodes: 0, edge: 'workerd', edgeEnv: UNLIMITED, log: say })
    const held: AsyncDisposable[] = []
    const leave = async () => {
      for (const part of held.splice(0).reverse()) await part[Symbol.asyncDispose]()
      await stack.stop()
      rmSync(dir, { recursive: true, force: true })
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => void leave().finally(() => process.exit(130)))
    }
    try {
      const target = { url: stack.url, token: await stack.token('bench') }
      const bare = await startBare(stack)
      held.push(bare)
      held.push(await startTicker(stack, target))
      for (const [name, benchmark] of chosen) {
        if (benchmark.alone) continue
        say(`${name}: ${benchmark.about}`)
        found.push(...(await benchmark.run({ stack, bare, target })))
      }
    } finally {
      await leave()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
  return found
}
