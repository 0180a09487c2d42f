import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { waitForLock } from '../file-lock.ts'

// The way into every command, on a bare clone too: nothing from node_modules may be imported here, nor by what is.

const COMMANDS = ['dev', 'demo', 'test', 'token', 'nats', 'serve', 'bench', 'chaos', 'sim', 'check', 'fix']
/** Whose output is for programs: what the set-up has to say goes to stderr. */
const QUIET = ['token', 'nats', 'serve', 'bench', 'chaos', 'sim']

const root = resolve(import.meta.dir, '../..')
const [command = '', ...rest] = process.argv.slice(2)
const args = rest[0] === '--' ? rest.slice(1) : rest

if (!COMMANDS.includes(command)) {
  console.error(`usage: bun run <${COMMANDS.join('|')}>`)
  process.exit(2)
}
const say = QUIET.includes(command) || args.includes('--json') ? console.error : console.log

await install()
const program = join(root, 'dev/bin', `${command}.ts`)
// In our place, not below us: signals, the terminal and the exit code are then the program's own.
process.execve?.(process.execPath, [process.execPath, program, ...args], process.env)

async function install(): Promise<void> {
  const modules = join(root, 'node_modules')
  const stamp = join(modules, '.oriel-installed')
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'bun.lock')))
    .digest('hex')
  const isDone = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
  if (isDone()) return
  say(existsSync(modules) ? 'Checking dependencies …' : 'Installing dependencies, once (about a minute) …')
  mkdirSync(modules, { recursive: true })
  const lock = await waitForLock(join(modules, '.oriel-lock'), () => say('Another process is installing; waiting …'))
  try {
    if (isDone()) return
    const startedAt = performance.now()
    const seconds = () => `${Math.round((performance.now() - startedAt) / 1000)} s`
    const news = setInterval(() => say(`… still installing, ${seconds()}`), 10_000)
    const bun = Bun.spawn([process.execPath, 'install', '--frozen-lockfile'], {
      cwd: root,
      stdin: 'ignore',
      stdout: process.stderr.fd,
      stderr: process.stderr.fd,
    })
    const code = await bun.exited
    clearInterval(news)
    if (code !== 0) {
      console.error(
        'The dependencies could not be installed; what went wrong stands above. Oriel needs the npm registry once.',
      )
      process.exit(1)
    }
    writeFileSync(stamp, wanted)
    say(`Installed in ${seconds()}.`)
  } finally {
    lock.release()
  }
}
