import { expect, test } from 'bun:test'
import { useStack } from '../support/stack.ts'

const BURST = 12
const stack = useStack({ edgeEnv: { LIMIT_PER_SECOND: '1', LIMIT_BURST: String(BURST) } })

const headers = { 'Content-Type': 'application/json' }
const inputs = { features: [5.1, 3.5, 1.4, 0.2] }

test('predictions and requests are charged to one account', async () => {
  const client = await stack.client('alice')
  const predict = () =>
    client.send('/models/iris/predict', { method: 'POST', body: JSON.stringify({ inputs }), headers })
  const startedAt = performance.now()
  let passed = 0
  let refused: Response | undefined
  while (!refused) {
    const response = await predict()
    if (response.status === 200) passed += 1
    else refused = response
  }
  const refilled = Math.ceil((performance.now() - startedAt) / 1_000)
  expect(passed).toBeGreaterThanOrEqual(BURST)
  expect(passed).toBeLessThanOrEqual(BURST + refilled)
  expect(refused.status).toBe(429)
  expect(refused.headers.get('Retry-After')).toBe('1')
  expect(await refused.text()).toContain('urn:oriel:problem:limit-exceeded')
  expect((await client.post('iris', { input: inputs })).status).toBe(429)
  const bob = await stack.client('bob')
  expect((await bob.post('iris', { input: inputs })).status).toBe(202)
})
