import { describeIssues } from '@oriel/protocol/problem'
import type { Subprocess } from 'bun'
import * as v from 'valibot'
import { openRecorder } from './flight-recorder.ts'
import type { HostProcess, HostProcessEvents, StartHost } from './host-process.ts'
import { FromHost } from './messages.ts'

// The node's own environment holds the broker's credentials, and a host runs other people's graphs.
const PASSED_ON = /^(PATH|HOME|TMPDIR|LANG|LC_.*|TZ|(DY)?LD_LIBRARY_PATH|CUDA_.*|NVIDIA_.*|ORT_.*|OMP_.*)$/

export interface BunHostsOptions {
  /** Threads that one operator of a graph may use. */
  readonly threads: number
  /** The program, where it is another than ours. */
  readonly main?: string
}

/** Hosts as subprocesses of Bun. */
export const bunHosts =
  ({ threads, main = `${import.meta.dir}/main.ts` }: BunHostsOptions): StartHost =>
  (events) =>
    start(threads, main, events)

function start(threads: number, main: string, events: HostProcessEvents): HostProcess {
  const recorder = openRecorder()
  let lastWork: number | undefined
  let connected = true
  const child: Subprocess<'ignore', 'pipe', 'pipe'> = Bun.spawn(
    [process.execPath, main, '--threads', String(threads)],
    {
      stdio: ['ignore', 'pipe', 'pipe', recorder.fd],
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name))),
      // Typed arrays cross as bytes. A socket with frames of our own was no faster, shared memory hardly: docs/adr/0020.
      serialization: 'advanced',
      ipc(data) {
        const message = v.safeParse(FromHost, data)
        if (message.success) return events.onMessage(message.output)
        events.onLine(`killed for a message that is none: ${describeIssues(message.issues)}`)
        child.kill('SIGKILL')
      },
      onDisconnect() {
        connected = false
        child.kill('SIGKILL')
      },
      onExit(_child, code, signal) {
        lastWork = recorder.read()
        recorder.close()
        events.onExit(code === null ? `signal ${signal}` : `exit code ${code}`)
      },
    },
  )
  for (const stream of [child.stdout, child.stderr]) {
    forwardLines(stream, events.onLine).catch((error) => events.onLine(`unreadable: ${error}`))
  }
  return {
    pid: child.pid,
    send(message) {
      if (!connected) return
      try {
        child.send(message)
      } catch (error) {
        // It is dead, which its exit is about to tell.
        if (!isClosedChannel(error)) throw error
        connected = false
      }
    },
    kill: () => child.kill('SIGKILL'),
    currentWork: () => lastWork ?? recorder.read(),
    exited: child.exited.then(() => {}),
  }
}

const isClosedChannel = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ERR_IPC_CHANNEL_CLOSED'

async function forwardLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  }
  if (rest) onLine(rest)
}
