import { delimiter, join } from 'node:path'

/** The programs of our npm packages, among them the Node that wrangler needs: newer than the one a machine may have. */
const BIN = join(import.meta.dir, 'node_modules/.bin')

export const withTools = (path = process.env.PATH ?? '') => `${BIN}${delimiter}${path}`

/** For wrangler: no questions, no reports, nothing shared with another stack on this machine. */
export const wranglerEnv = (stateDir: string) => ({
  ...process.env,
  PATH: withTools(),
  CI: '1',
  DO_NOT_TRACK: '1',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_NO_SKILLS_UPDATE_PROMPTS: 'true',
  WRANGLER_LOG_PATH: join(stateDir, 'wrangler-logs'),
  WRANGLER_REGISTRY_PATH: join(stateDir, 'wrangler-registry'),
  // `request.cf` of some machine in the cloud: a call to the network at every start that nothing here reads.
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
})

export const WRANGLER = join(import.meta.dir, 'node_modules/wrangler/bin/wrangler.js')
export const NODE = join(BIN, 'node')
export const WORKERD = join(BIN, 'workerd')
