import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../parts/programs.ts'

const program = join(ROOT, 'tests/chaos/main.ts')
if (!existsSync(program)) {
  console.error('There is no tests/chaos/main.ts in this checkout.')
  process.exit(1)
}
// Bun's fetch has 256 requests under way at most; while something is broken, more clients than that wait.
const env = { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '65000' }
process.execve?.(process.execPath, [process.execPath, program, ...process.argv.slice(2)], env)
