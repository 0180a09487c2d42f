import { ROOT } from '../parts/programs.ts'

const { exited } = Bun.spawn(
  [process.execPath, 'node_modules/.bin/biome', 'check', '--write', ...process.argv.slice(2)],
  {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  },
)
process.exit(await exited)
