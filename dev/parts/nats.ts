import { natsConfig } from '../nats-config.ts'
import { findNatsServer } from '../nats-server.ts'
import type { PartSpec } from '../part.ts'
import type { Ports } from '../ports.ts'
import { HOST } from '../ports.ts'
import type { Secrets } from '../secrets.ts'
import type { StateDir } from '../state-dir.ts'
import { writePrivate } from '../write-file.ts'

/** The broker: JetStream in the state folder, listeners for clients, WebSockets and monitoring. */
export function natsPart(
  dir: StateDir,
  ports: Ports,
  passwords: Secrets['nats'],
  log: (line: string) => void,
): PartSpec {
  return {
    name: 'nats',
    kind: 'nats',
    address: `${HOST}:${ports.nats}`,
    readyMs: 60_000,
    stop: { signal: 'SIGTERM', graceMs: 10_000 },
    async command() {
      const file = await findNatsServer(log)
      writePrivate(dir.natsConfig, natsConfig(ports, dir.jetstream, passwords))
      return { file, args: ['--config', dir.natsConfig], env: process.env }
    },
    async isReady() {
      const answer = await fetch(`http://${HOST}:${ports.monitor}/healthz?js-enabled-only=true`)
      return answer.ok
    },
  }
}
