import { closeSync, openSync } from 'node:fs'
import { processes, processRow } from './process-table.ts'

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Programs that leave when their standard input closes are given one that lives as long as we do. */
  readonly stdin?: 'pipe'
}

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** A process in a group of its own, so that a terminal's Ctrl-C reaches us alone. What it says goes to a file. */
export class Child {
  readonly pid: number
  readonly start: string
  readonly startedAt = performance.now()
  readonly exited: Promise<Exit>
  exit: Exit | undefined
  /** Keeps its standard input open. */
  readonly #process: Bun.Subprocess

  constructor(command: Command, logFile: string) {
    const log = openSync(logFile, 'a')
    try {
      const child = Bun.spawn([command.file, ...command.args], {
        env: { ...command.env },
        ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
        stdin: command.stdin ?? 'ignore',
        stdout: log,
        stderr: log,
        detached: true,
      })
      this.#process = child
      this.pid = child.pid
      this.start = processRow(child.pid)?.start ?? ''
      this.exited = child.exited.then(() => {
        const exit = { code: child.exitCode, signal: child.signalCode === null ? null : String(child.signalCode) }
        this.exit = exit
        return exit
      })
    } finally {
      closeSync(log)
    }
  }

  /** To the process alone. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** To the process and all that it started and that stayed in its group. */
  signalGroup(signal: NodeJS.Signals): void {
    send(-this.pid, signal)
  }

  /** Asks the process to leave; after `graceMs`, and in any case for what it leaves behind, SIGKILL. */
  async end(signal: NodeJS.Signals, graceMs: number, to: 'process' | 'group' = 'process'): Promise<Exit> {
    const timer = setTimeout(() => this.signalGroup('SIGKILL'), graceMs)
    if (to === 'group') this.signalGroup(signal)
    else this.signal(signal)
    const exit = await this.exited
    clearTimeout(timer)
    await endGroup(this.pid)
    return exit
  }
}

/** SIGKILL for the members of a group that outlived its leader, until none is left. */
export async function endGroup(group: number): Promise<void> {
  for (let tries = 0; tries < 100 && processes().some((row) => row.group === group); tries++) {
    send(-group, 'SIGKILL')
    await Bun.sleep(20)
  }
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal)
  } catch (error) {
    const gone = error instanceof Error && 'code' in error && error.code === 'ESRCH'
    if (!gone) throw error
  }
}
