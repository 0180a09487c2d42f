import { Glob } from 'bun'
import { ROOT } from '../parts/programs.ts'

/** Types, lint and format of everything. All of it runs, so that one look shows all that is wrong. */
const tsc = (folder: string) => [process.execPath, 'node_modules/.bin/tsc', '-p', folder]
const projects = [...new Glob('*/tsconfig.json').scanSync({ cwd: ROOT })]
  .map((path) => path.split('/')[0] ?? path)
  .sort()
const steps = [
  ...projects.map((folder) => ({ name: `types in ${folder}`, command: tsc(folder) })),
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
