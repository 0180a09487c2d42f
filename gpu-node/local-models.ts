import type { NodeStatus } from '@oriel/protocol/node-status'
import type { Problem } from '@oriel/protocol/problem'
import type { HostPool } from './host-pool.ts'
import type { ModelFolder } from './model-folder.ts'
import type { LocalModel, ModelRunner } from './model-runner.ts'
import type { Models } from './node.ts'
import type { Predictor } from './predictor.ts'

/** The models of a folder, run by a pool of hosts. */
export function localModels(
  { models, problems }: ModelFolder,
  pool: HostPool,
  runner: ModelRunner,
  predictor: Predictor,
): Models {
  const found = new Map<string, LocalModel | Problem>()
  for (const { name, version, problem } of problems) found.set(`${name}/${version}`, problem)
  for (const model of models) found.set(`${model.manifest.name}/${model.manifest.version}`, model)
  const damaged = problems.map((problem) => ({ ...problem, state: 'unavailable' as const }))
  return {
    runner,
    predictor,
    manifests: models.map(({ manifest }) => manifest),
    find: (name, version) =>
      found.get(`${name}/${version}`) ?? {
        kind: 'model-not-found',
        detail: `This node has no ${name} version ${version}.`,
      },
    status(): Pick<NodeStatus, 'hosts' | 'models'> {
      const whole = models.map((model) => {
        const { name, version } = model.manifest
        return { name, version, ...pool.stateOf(model) }
      })
      const hosts = pool.status().map(({ name, pid, models: resident }) => ({ name, pid, models: resident }))
      return { hosts, models: [...whole, ...damaged] }
    },
    close: () => pool.close(),
  }
}
