import { parseArgs } from 'node:util'
import { parseConfig } from '../config.ts'
import { nextSteps, showOneRequest } from '../demo.ts'
import { isFree } from '../ports.ts'
import { readSecrets } from '../secrets.ts'
import { onSignals } from '../signals.ts'
import { Stack } from '../stack.ts'
import { explain } from '../stack-error.ts'
import { StateDir } from '../state-dir.ts'
import { readStatus } from '../status.ts'
import { signToken } from '../token.ts'

const USER = 'alice'
const HELP = `bun run demo [--stay]    starts Oriel on this machine, sends one request and shows its answer

  --stay    leaves the stack running until Ctrl-C`

try {
  const { values } = parseArgs({ options: { stay: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
  if (values.help) console.log(HELP)
  else await demo(values.stay ?? false)
  process.exit(0)
} catch (error) {
  const misused = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  console.error(misused ? `${error.message}\n\n${HELP}` : `\n${explain(error)}`)
  process.exit(misused ? 2 : 1)
}

async function demo(stay: boolean): Promise<void> {
  const config = parseConfig(process.env)
  const dir = new StateDir(config.ORIEL_STATE_DIR)
  const running = await readStatus(dir)
  if (running?.url) {
    console.log(`A stack runs already: ${running.url}`)
    await request(running.url, dir)
    return console.log(`\n${nextSteps(running.url, await token(dir))}`)
  }

  console.log('Oriel is starting: PostgreSQL, nats-server, the edge, the recorder and a node …')
  const startedAt = performance.now()
  // Only a port that was asked for is worth an error.
  const port = process.env.ORIEL_PORT || (await isFree(config.ORIEL_PORT)) ? config.ORIEL_PORT : 0
  const stack = await Stack.open({ stateDir: dir.path, port, log: (line) => console.log(`  ${line}`) })
  const stopped = onSignals(
    (why) => {
      console.log(`\nstopping${why ? `: ${why}` : ''} …`)
      return stack.stop()
    },
    () => stack.killAll(),
  )
  try {
    await Promise.race([stack.start(), stopped])
    stopped.signal.throwIfAborted()
    console.log(`ready ${stack.url} (after ${((performance.now() - startedAt) / 1000).toFixed(1)} s)`)
    const unavailable = await Promise.race([stack.unavailableModels(), stopped])
    stopped.signal.throwIfAborted()
    for (const line of unavailable ?? []) console.log(line)
    await Promise.race([request(stack.url, dir, stopped.signal), stack.failed, stopped])
    stopped.signal.throwIfAborted()
    if (stay) {
      console.log(`\n${nextSteps(stack.url, await token(dir))}\nThe stack stays until Ctrl-C.`)
      await Promise.race([stack.failed, stopped])
    } else {
      const again = `\n${settingsFor(stack.url, dir)}npx -y bun@1.4.5 run dev        # and then, in another terminal:\n`
      console.log(`\n${nextSteps(stack.url, await token(dir), again)}`)
    }
  } catch (error) {
    // While it stops, whatever was still under way fails: that is no news.
    if (!stopped.signal.aborted) throw error
  } finally {
    if (!stopped.signal.aborted) console.log('stopping …')
    await stack.stop()
  }
}

/** What has to stand before a command for it to find this stack's folder and port again. */
function settingsFor(url: string, dir: StateDir): string {
  const { port } = new URL(url)
  const folder = process.env.ORIEL_STATE_DIR ? `ORIEL_STATE_DIR=${Bun.$.escape(dir.path)} ` : ''
  return `${folder}${port === '8787' ? '' : `ORIEL_PORT=${port} `}`
}

function token(dir: StateDir): Promise<string> {
  return signToken(readSecrets(dir).auth, USER)
}

async function request(url: string, dir: StateDir, signal?: AbortSignal): Promise<void> {
  await showOneRequest(url, await token(dir), USER, signal)
}
