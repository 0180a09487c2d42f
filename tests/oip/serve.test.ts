import { afterAll } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inferenceContract } from './contract.ts'
import { writeContractModels } from './models.ts'
import { ServeProcess } from './serve-process.ts'

const root = mkdtempSync(join(tmpdir(), 'oriel-oip-'))
let serve: ServeProcess | undefined
afterAll(async () => {
  await serve?.stop()
  rmSync(root, { recursive: true })
})

inferenceContract(
  'a node alone',
  async () => {
    writeContractModels(root)
    serve = new ServeProcess(root)
    return await serve.ready()
  },
  { repository: true },
)
