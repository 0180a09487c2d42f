import { Glob } from 'bun'
import { ROOT } from '../parts/programs.ts'
import { runTests } from '../test-run.ts'

const HELP = `bun run test [-- path …]    every test, or those under some paths

The tests beside the code come first, a run for each folder; then tests/, which starts real stacks.`

/** Per test, ms. Those in tests/ wait for whole programs, on whatever machine this is. */
const UNIT_MS = 30_000
const STACK_MS = 180_000
const IN_STACKS = /^tests\//

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
let passed = 0
let failed = 0
for (const [name, group] of groups) {
  console.log(`\n── ${name}`)
  const tally = await runTests(
    group.map((file) => `./${file}`),
    ROOT,
    IN_STACKS.test(name) ? STACK_MS : UNIT_MS,
  )
  passed += tally.passed
  failed += tally.failed
}
if (passed + failed === 0) console.error('No test ran.')
// The last line, for people and for programs.
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
