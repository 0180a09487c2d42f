import type { OpenRequest } from './request.ts'

/** A request under way, for tests that look at something else. */
export const openRequest = (changes: Partial<OpenRequest> = {}): OpenRequest => ({
  id: '0196d2a0-0000-7000-8000-000000000000',
  user: 'alice',
  requestID: 'r1',
  bodyHash: '',
  request: { input: [1] },
  model: 'iris',
  version: '1',
  lane: 'interactive',
  parameters: {},
  onDisconnect: 'detach',
  sentAt: 0,
  deadlineAt: 60_000,
  ...changes,
})
