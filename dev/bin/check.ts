import { Glob } from 'bun'
import { ROOT } from '../parts/programs.ts'

/** Types, lint and format of everything. All of it runs, so that one look shows all that is wrong. */
const tsc = (project: string) => [process.execPath, 'node_modules/.bin/tsc', '-p', project]
// A folder whose programs and tests run on different platforms has a project for each.
// A folder whose programs and tests run on different platforms has a project for each.
const projects = ['*/tsconfig{,.test}.json', 'bench/*/tsconfig.json']
  .flatMap((pattern) => [...new Glob(pattern).scanSync({ cwd: ROOT })])
  .filter((path) => !path.includes('node_modules'))
  .sort()
const steps = [
  ...projects.map((path) => ({ name: `types of ${path}`, command: tsc(path) })),
  { name: 'lint and format', command: [process.execPath, 'node_modules/.bin/biome', 'check'] },
]

const broken: string[] = []
for (const { name, command } of steps) {
  const { exited } = Bun.spawn(command, { cwd: ROOT, stdin: 'ignore', stdout: 'inherit', stderr: 'inherit' })
  const ok = (await exited) === 0
  console.log(`${ok ? 'ok    ' : 'broken'}  ${name}`)
  if (!ok) broken.push(name)
}
if (broken.length > 0)
  console.log(`\nBroken: ${broken.join(', ')}. \`bun run fix\` mends lint and format where it can.`)
process.exit(broken.length === 0 ? 0 : 1)
