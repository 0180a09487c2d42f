import type { FromHost, ToHost } from './messages.ts'

export interface HostProcessEvents {
  onMessage(message: FromHost): void
  /** Once; after it nothing more is told. @param how such as `signal SIGSEGV` or `exit code 1` */
  onExit(how: string): void
  /** A line that the host wrote to stderr or stdout. */
  onLine(line: string): void
}

/** A running model host, seen from the node. */
export interface HostProcess {
  readonly pid: number
  send(message: ToHost): void
  /** At once and for certain: SIGKILL. */
  kill(): void
  /** The piece of work that it is, or died, in the middle of; 0 for none. */
  currentWork(): number
  readonly exited: Promise<void>
}

export type StartHost = (events: HostProcessEvents) => HostProcess
