import { Glob } from 'bun'
import { ROOT } from '../parts/programs.ts'
import { runTests } from '../test-run.ts'

const HELP = `bun run test [-- path …]    every test, or those under some paths

The tests beside the code come first, a run for each folder; then tests/, which starts real stacks. Two runs go on at
a time, and each shows what it said when it has ended.`

/** Per test, ms. Those in tests/ wait for whole programs, on whatever machine this is. */
const UNIT_MS = 30_000
const STACK_MS = 180_000
const IN_STACKS = /^tests\//
/** Most of a run is waiting for what it has broken. */
const AT_A_TIME = 2

const wanted = process.argv.slice(2).map((path) => path.replace(/^\.\//, ''))
if (wanted.includes('--help') || wanted.includes('-h')) {
  console.log(HELP)
  process.exit(0)
}

const files = [...new Glob('*/**/*.test.ts').scanSync({ cwd: ROOT })]
  .filter((file) => !file.includes('node_modules/'))
  .filter((file) => wanted.length === 0 || wanted.some((path) => file.startsWith(path)))
  .sort((a, b) => Number(IN_STACKS.test(a)) - Number(IN_STACKS.test(b)) || a.localeCompare(b))

// A process of its own for each folder, and for each file that starts stacks: what one leaves behind harms no other.
const groups = Map.groupBy(files, (file) => (IN_STACKS.test(file) ? file : (file.split('/')[0] ?? file)))
const waiting = [...groups]
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => waiting.splice(0))
let passed = 0
let failed = 0
async function work(): Promise<void> {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const [name, group] = next
    const paths = group.map((file) => `./${file}`)
    const { output, ...tally } = await runTests(paths, ROOT, IN_STACKS.test(name) ? STACK_MS : UNIT_MS)
    console.log(`\n── ${name}\n${output}`)
    passed += tally.passed
    failed += tally.failed
  }
}
await Promise.all(Array.from({ length: AT_A_TIME }, work))
if (passed + failed === 0) console.error('No test ran.')
// The last line, for people and for programs.
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
