/** A model host: the process that ONNX Runtime lives in. `BunHostProcess` starts it. */
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { ENGINES } from '../engines/engines.ts'
import { inspectGraph } from '../engines/inspect.ts'
import { startRuntime } from '../engines/start-runtime.ts'
import { dieWithParent } from './die-with-parent.ts'
import { markWork, RECORDER_FD } from './flight-recorder.ts'
import { Host } from './host.ts'
import { ToHost } from './messages.ts'
import { Steps } from './steps.ts'

const send = process.send?.bind(process)
if (!send) throw new Error('A model host is started by a node, not by hand.')

const { values } = parseArgs({ options: { threads: { type: 'string', default: '1' } } })
const threads = v.parse(v.pipe(v.string(), v.toNumber(), v.integer(), v.minValue(1)), values.threads)

const host = new Host({
  engines: ENGINES,
  inspect: inspectGraph,
  threads,
  steps: new Steps(markWork(RECORDER_FD)),
  send,
  rssBytes: process.memoryUsage.rss,
})

dieWithParent()
// A terminal's Ctrl-C and a service manager's stop reach the whole group. The node drains first; the host ends with it.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => process.exit(0))
process.on('message', (message) => host.receive(v.parse(ToHost, message)))
// What the runtime itself takes is nobody's, and the first model need not wait for it.
await startRuntime()
send({ type: 'ready', rssBytes: process.memoryUsage.rss() })
