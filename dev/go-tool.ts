import { join } from 'node:path'
import { runTool } from './run-tool.ts'

/** The module that pins both tools; its go.sum holds the hash of everything that is built. */
const MODULE_DIR = join(import.meta.dir, 'nats')
const NEWS_MS = 10_000

/** The pinned versions in nats/go.mod. */
export const GO_TOOLS = {
  'nats-server': { package: 'github.com/nats-io/nats-server/v2', version: '2.15.2' },
  nats: { package: 'github.com/nats-io/natscli/nats', version: '0.4.0' },
} as const

/**
 * Builds one of the pinned tools to `path`: some 45 s when nothing is cached, a second when all is.
 * @throws Error with what Go said last
 */
export async function buildGoTool(
  tool: keyof typeof GO_TOOLS,
  path: string,
  log: (line: string) => void,
): Promise<void> {
  const { package: name, version } = GO_TOOLS[tool]
  log(`building ${tool} ${version} with Go (up to a minute, once)`)
  const startedAt = performance.now()
  const news = setInterval(
    () => log(`building ${tool}, ${Math.round((performance.now() - startedAt) / 1000)} s so far`),
    NEWS_MS,
  )
  try {
    const { code, said } = await runTool(['go', 'build', '-trimpath', '-o', path, name], {
      cwd: MODULE_DIR,
      // Without CGO the binary needs no C compiler to build and no matching libc to run.
      env: { ...process.env, CGO_ENABLED: '0' },
    })
    if (code !== 0) throw new Error(said.split('\n').slice(-3).join('\n') || `go ended with ${code}`)
  } finally {
    clearInterval(news)
  }
}
