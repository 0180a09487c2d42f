import { buildGoTool, GO_TOOLS } from './go-tool.ts'
import { StackError } from './stack-error.ts'
import { cached, makeCached } from './tool-cache.ts'

const NAME = `nats-${GO_TOOLS.nats.version}`

/**
 * The path of the `nats` command line: from the PATH, from our cache, or built with Go.
 * @throws StackError that says how to install it
 */
export async function findNatsCli(log: (line: string) => void): Promise<string> {
  const found = Bun.which('nats') ?? cached(NAME)
  if (found) return found
  if (!Bun.which('go')) throw new StackError(missing('there is no Go to build it with'))
  try {
    return await makeCached(NAME, log, (path) => buildGoTool('nats', path, log))
  } catch (error) {
    throw new StackError(missing(`Go could not build it: ${error instanceof Error ? error.message : error}`))
  }
}

const missing = (why: string) =>
  `The nats command line is not on the PATH, and ${why}.
Any one of these brings it:
  brew install nats-io/nats-tools/nats
  go install github.com/nats-io/natscli/nats@v0.4.0
  https://github.com/nats-io/natscli/releases`
