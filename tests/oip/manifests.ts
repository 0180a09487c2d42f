import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@oriel/gpu-node/clock'
import { GraphInspector } from '@oriel/gpu-node/graph-inspector'
import { bunHosts } from '@oriel/gpu-node/host/bun-host-process'
import { readTree } from '@oriel/gpu-node/serve/model-tree'
import { openVersion } from '@oriel/gpu-node/serve/open-version'

/** Gives each graph of a folder the manifest that a cluster asks for, as a node alone would derive it. */
export async function writeManifests(root: string, maxBatch: number): Promise<void> {
  const inspector = new GraphInspector({ start: bunHosts({ threads: 1 }), clock: systemClock })
  try {
    for (const found of (await readTree(root)).versions) {
      if (found.kind !== 'graph') continue
      const inspect = (file: string) => inspector.inspect(file)
      const { manifest } = await openVersion(found, { inspect, maxBatch, timeoutMs: 30_000 })
      writeFileSync(join(found.dir, 'manifest.json'), JSON.stringify(manifest, undefined, 2))
    }
  } finally {
    await inspector.close()
  }
}
