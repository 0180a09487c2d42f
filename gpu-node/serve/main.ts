/** `bun run serve`: a node alone, over a folder of models. */
import { untilStopped } from '../process-life.ts'
import { announcement } from './announcement.ts'
import { LAYOUT } from './banner.ts'
import { readTree } from './model-tree.ts'
import { optionsHelp, parseOptions, type ServeOptions } from './options.ts'
import { StandaloneNode } from './standalone-node.ts'

// HTTP ─▶ oipRoutes ─▶ standaloneInference ─▶ batches ─▶ HostPool ─▶ hosts (subprocesses) ─▶ the folder's models

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

function fail(...parts: string[]): never {
  console.error(parts.join('\n\n'))
  process.exit(1)
}

function readOptions(): ServeOptions {
  try {
    const parsed = parseOptions(process.argv.slice(2))
    if (parsed !== 'help') return parsed
  } catch (error) {
    fail(messageOf(error), optionsHelp())
  }
  console.log(optionsHelp())
  process.exit(0)
}

const options = readOptions()
const say = (text: string) => console.error(`${new Date().toISOString()} ${text}`)
const stopped = untilStopped(options['exit-with-parent'], { info: say, warn: say, error: say })

const tree = await readTree(options.models).catch((error: unknown) => fail(messageOf(error), LAYOUT))
for (const note of tree.notes) say(note)
if (tree.versions.length === 0 && !options.watch) fail(`There is no model in ${options.models}.`, LAYOUT)

let node: StandaloneNode
try {
  node = new StandaloneNode({ options, build: '1', say })
} catch (error) {
  fail(messageOf(error))
}
say(`listening at ${node.url}`)
const opened = node.open().then(() => announcement(node.url, options.models, node.repository))
const first = await Promise.race([opened, stopped.then(() => undefined)])
if (first !== undefined) console.log(`\n${first}`)
say(`stopping: ${await stopped}`)
await node.close(options['drain-ms'])
process.exit(0)
