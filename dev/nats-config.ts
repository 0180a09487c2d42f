import { MAX_PAYLOAD_BYTES } from '@oriel/protocol/streams'
import { DISCONNECTED } from '@oriel/protocol/subjects'
import { IDENTITIES } from './identities.ts'
import type { Ports } from './ports.ts'
import { HOST } from './ports.ts'
import type { Secrets } from './secrets.ts'

/** The text of nats-server.conf. It holds the passwords: its file is for the owner's eyes. */
export function natsConfig(ports: Ports, jetstreamDir: string, passwords: Secrets['nats']): string {
  const users = Object.entries(IDENTITIES).map(([name, { publish, subscribe }]) =>
    [
      '      {',
      `        user: ${quote(name)}`,
      `        password: ${quote(passwords[name as keyof typeof IDENTITIES])}`,
      '        permissions: {',
      `          publish: { allow: ${list(publish)} }`,
      `          subscribe: { allow: ${list(subscribe)} }`,
      '        }',
      '      }',
    ].join('\n'),
  )
  return `# Written by \`bun run dev\` at every start; changes are lost.
server_name: oriel-dev
host: ${HOST}
port: ${ports.nats}
http: ${quote(`${HOST}:${ports.monitor}`)}
max_payload: ${MAX_PAYLOAD_BYTES}
# A client that is this far behind is cut off. A replay of a long log to one relay is the largest burst.
max_pending: ${64 * 1024 * 1024}
websocket: {
  host: ${HOST}
  port: ${ports.websocket}
  no_tls: true
  same_origin: false
}
jetstream: {
  store_dir: ${quote(jetstreamDir)}
}
accounts: {
  ORIEL: {
    jetstream: enabled
    users: [
${users.join('\n')}
    ]
    # When a connection of this account ends, the system account is told; so are the relays.
    imports: [{ stream: { account: SYS, subject: "$SYS.ACCOUNT.ORIEL.DISCONNECT" }, to: ${quote(DISCONNECTED)} }]
  }
  SYS: {
    exports: [{ stream: "$SYS.ACCOUNT.*.DISCONNECT", accounts: [ORIEL] }]
    users: [{ user: "system", password: ${quote(passwords.system)} }]
  }
}
system_account: SYS
`
}

// The configuration's strings take the escapes of JSON for all that paths, subjects and passwords can hold.
const quote = (text: string) => JSON.stringify(text)
const list = (subjects: readonly string[]) => `[${subjects.map(quote).join(', ')}]`
