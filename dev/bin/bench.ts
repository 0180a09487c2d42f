import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../parts/programs.ts'

const program = join(ROOT, 'bench/main.ts')
if (!existsSync(program)) {
  console.error('There is no bench/main.ts in this checkout.')
  process.exit(1)
}
process.execve?.(process.execPath, [process.execPath, program, ...process.argv.slice(2)], process.env)
