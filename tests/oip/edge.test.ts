import { useStack } from '../support/stack.ts'
import { inferenceContract } from './contract.ts'
import { writeManifests } from './manifests.ts'
import { writeContractModels } from './models.ts'

const MAX_BATCH = 64

const stack = useStack({
  prepare: async (modelsDir) => {
    writeContractModels(modelsDir)
    await writeManifests(modelsDir, MAX_BATCH)
  },
})

inferenceContract(
  'the edge, with a node behind it',
  async () => ({ url: stack.url, headers: { Authorization: `Bearer ${await stack.stack.token('alice')}` } }),
  { repository: false },
)
