import { join } from 'node:path'
import { askV2, MAX_BATCH, type Rival } from './rival.ts'

const SERVE = join(import.meta.dir, '../../gpu-node/serve/main.ts')

/** A node alone, over the same folder that Triton gets. */
export const oriel: Rival = {
  docs: 'bun run serve --help',
  form: 'version 2',
  start: async ({ models, port }) => ({
    file: process.execPath,
    args: [SERVE, '--models', models, '--http', `${port}`, '--max-batch', `${MAX_BATCH}`, '--exit-with-parent'],
    stdin: 'pipe',
  }),
  ask: askV2,
}
