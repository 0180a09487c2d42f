import { join } from 'node:path'
import { ROOT } from '../parts/programs.ts'

process.execve?.(
  process.execPath,
  [process.execPath, join(ROOT, 'gpu-node/serve/main.ts'), ...process.argv.slice(2)],
  process.env,
)
