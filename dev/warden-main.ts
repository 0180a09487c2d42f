import { endOrphans } from './orphans.ts'
import { isAlive, readRun } from './run-file.ts'
import { StateDir } from './state-dir.ts'

const [folder = '', pid, start = ''] = process.argv.slice(2)
const owner = { pid: Number(pid), start }

process.stdin.resume()
process.stdin.once('end', async () => {
  // Its last moments: the pipe closes before the process is gone.
  while (isAlive(owner)) await Bun.sleep(20)
  const run = readRun(new StateDir(folder))
  // By now the folder may be another's, who has seen to this already.
  if (run?.pid === owner.pid && run.start === owner.start) await endOrphans(run)
  process.exit(0)
})
