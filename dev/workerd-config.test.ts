import { expect, test } from 'bun:test'
import { join } from 'node:path'
import * as v from 'valibot'
import { WranglerConfig, workerdConfig } from './workerd-config.ts'

const toml = await Bun.file(join(import.meta.dir, '../wrangler.toml')).text()
const config = v.parse(WranglerConfig, Bun.TOML.parse(toml))

test('plain workerd gets the actors that wrangler.toml has, and variables without their values', () => {
  const text = workerdConfig(config, {
    port: 8787,
    bundle: 'bundle/worker.js',
    storageDir: '/state/edge/workerd',
    artifactsDir: '/state/edge/artifacts',
    variables: ['NATS_PASSWORD'],
  })
  for (const { name, class_name } of config.durable_objects.bindings) {
    expect(text).toContain(`(name = "${name}", durableObjectNamespace = "${class_name}")`)
    expect(text).toContain(`(className = "${class_name}", uniqueKey = "oriel-${class_name}", enableSql = true)`)
  }
  expect(text).toContain('(name = "NATS_PASSWORD", fromEnvironment = "NATS_PASSWORD")')
  expect(text).toContain(`compatibilityDate = "${config.compatibility_date}"`)
  expect(text).toContain('address = "127.0.0.1:8787"')
  expect(text).toContain('disk = (path = "/state/edge/workerd", writable = true)')
  expect(text).toContain('disk = (path = "/state/edge/artifacts", writable = true)')
  expect(text).toContain('(name = "ARTIFACTS_DISK", service = "artifacts")')
})
