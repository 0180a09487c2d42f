import { expect, test } from 'bun:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { bundledModels } from '@oriel/dev/bundled-models'
import { firstPlan } from '@oriel/dev/plan'
import { prepareBroker } from '@oriel/dev/streams'
import { HistoryPage } from '@oriel/protocol/api'
import { HISTORY, PROGRESS } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { textOf, typesOf } from '../support/client.ts'
import { BUNDLED } from '../support/models.ts'
import { useStack } from '../support/stack.ts'

// An actor looks after the end of its request as soon as this is over, and gives its answer up after four times that.
const RECORD_LATE_MS = 1_500
const stack = useStack({ edgeEnv: { RECORD_LATE_MS: String(RECORD_LATE_MS) } })
const story = { input: 'Once upon a time', parameters: { maxTokens: 20, seed: 11, tokensPerSecond: 100 } }

/** A request that ends while no recorder runs, and then these streams are lost, with all they have. */
async function endAndLose(...streams: string[]) {
  const alice = await stack.client('alice')
  await stack.stack.stopPart('recorder')
  const { requestID } = await alice.submit('storyteller', story)
  const events = await alice.follow(requestID)
  expect(typesOf(events).at(-1)).toBe('completed')
  await stack.idle() // its node has told HISTORY
  const nc = await stack.stack.nats('admin')
  const manager = await jetstreamManager(nc)
  for (const stream of streams) await manager.streams.delete(stream)
  await prepareBroker(nc, firstPlan(bundledModels(BUNDLED)))
  await nc.close()
  await stack.stack.startPart('recorder')
  await stack.recorded('alice', requestID)
  return { alice, requestID, events }
}

test('HISTORY loses a request that has ended before the record has it: its actor tells it again, from the log', async () => {
  const { alice, requestID, events } = await endAndLose(HISTORY)
  await stack.forgetActors()
  const view = await alice.get(requestID)
  expect(view).toMatchObject({ status: 'completed', lastEventID: events.at(-1)?.id })
  expect(view.responses.map(({ response }) => response).join('')).toBe(textOf(events))
  expect(view).not.toHaveProperty('problem')
}, 60_000)

test('the log is lost with it: the record has how it ended, and readers are told that the answer is lost', async () => {
  // The log first: with it the actor would still tell everything.
  const { alice, requestID, events } = await endAndLose(PROGRESS, HISTORY)
  const last = events.at(-1)
  const problem = { kind: 'answer-lost' }
  const lost = { requestID, status: 'completed', responses: [], lastEventID: last?.id, problem }
  const read = async () => {
    expect(await alice.get(requestID)).toMatchObject(lost)
    const page = v.parse(HistoryPage, await (await alice.send('/requests')).json())
    expect(page.requests.find((request) => request.requestID === requestID)).toMatchObject(lost)
  }
  await read()
  await stack.forgetActors()
  await read()
  expect(await alice.follow(requestID)).toMatchObject([{ id: last?.id, type: 'completed', data: { problem } }])
  expect((await alice.open(requestID, { after: last?.id ?? 0 })).status).toBe(204)
}, 60_000)
