import { expect, test } from 'bun:test'
import { IDENTITIES, inboxOf } from './identities.ts'
import { natsConfig } from './nats-config.ts'

const ports = { nats: 1, websocket: 2, monitor: 3, postgres: 4, inspector: 5 }
const passwords = {
  edge: 'pw-edge',
  node: 'pw-node',
  recorder: 'pw-recorder',
  planner: 'pw-planner',
  admin: 'pw-admin',
  system: 'pw-system',
}
const text = natsConfig(ports, '/state/with "quotes"/jetstream', passwords)

test('every identity has its password, and the system account its own user', () => {
  for (const name of Object.keys(IDENTITIES)) {
    expect(text).toContain(`user: "${name}"\n        password: "pw-${name}"`)
  }
  expect(text).toContain('user: "system", password: "pw-system"')
  expect(text).toContain('system_account: SYS')
})

test('everything listens on this machine alone, and takes the contract’s largest message', () => {
  expect(text).toContain('host: 127.0.0.1\nport: 1')
  expect(text).toContain('http: "127.0.0.1:3"')
  expect(text).toMatch(/websocket: \{\s+host: 127\.0\.0\.1\s+port: 2\s+no_tls: true/)
  expect(text).toContain('max_payload: 4194304')
  expect(text).toContain('store_dir: "/state/with \\"quotes\\"/jetstream"')
})

test('only the admin may do all, and the others hear answers under a prefix of their own', () => {
  expect(text.match(/allow: \[">"\]/g)).toHaveLength(2)
  for (const name of ['edge', 'node', 'recorder'] as const) {
    const others = (['edge', 'node', 'recorder'] as const).filter((other) => other !== name)
    const subscribe: readonly string[] = IDENTITIES[name].subscribe
    expect(subscribe).toContain(`${inboxOf(name)}.>`)
    for (const other of others) expect(subscribe).not.toContain(`${inboxOf(other)}.>`)
  }
})
