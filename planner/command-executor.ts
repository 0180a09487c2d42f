import type { Load } from './autoscale.ts'
import type { NodeExecutor } from './autoscaler.ts'

/** A command that takes longer is given up: the next decision asks again. */
const TIMEOUT_MS = 60_000

/**
 * Has a command of the operator's change the number of nodes. It is told how many there should be (`ORIEL_NODES`), how
 * many there are (`ORIEL_NODES_NOW`), and which have nothing to do (`ORIEL_IDLE_NODES`, separated by commas). A node
 * that it stops with SIGTERM finishes what it has.
 */
export class CommandExecutor implements NodeExecutor {
  readonly #command: string

  constructor(command: string) {
    this.#command = command
  }

  async scale(wanted: number, { nodes }: Load, idle: readonly string[]): Promise<void> {
    const run = Bun.spawn(['sh', '-c', this.#command], {
      env: {
        ...process.env,
        // The planner's password is no business of a command.
        ORIEL_NATS_PASSWORD: undefined,
        ORIEL_NODES: String(wanted),
        ORIEL_NODES_NOW: String(nodes),
        ORIEL_IDLE_NODES: idle.join(','),
      },
      stdin: 'ignore',
      stdout: 'inherit',
      stderr: 'inherit',
      timeout: TIMEOUT_MS,
    })
    const code = await run.exited
    if (code !== 0) throw new Error(`the command ended with ${run.signalCode ?? `code ${code}`}`)
  }
}
