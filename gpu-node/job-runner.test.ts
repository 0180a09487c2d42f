import { expect, test } from 'bun:test'
import { isTerminal, type NewEvent, type RequestEvent } from '@oriel/protocol/event'
import { newRequestId } from '@oriel/protocol/ids'
import type { Job } from '@oriel/protocol/job'
import { Manifest } from '@oriel/protocol/manifest'
import { type Problem, ProblemError } from '@oriel/protocol/problem'
import { MAX_DELIVER } from '@oriel/protocol/streams'
import { jobSubject } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { BystanderError } from './bystander-error.ts'
import { JobRunner } from './job-runner.ts'
import { silentLogger } from './logger.ts'
import { MemoryOutcomes } from './memory-outcomes.ts'
import type { LocalModel } from './model-runner.ts'
import { GatedLog } from './testing/gated-log.ts'
import { ManualClock, settled } from './testing/manual-clock.ts'
import { MemoryDelivery } from './testing/memory-delivery.ts'
import { ScriptedRunner } from './testing/scripted-runner.ts'

const limits = { timeoutMs: 60_000, maxBatch: 0, concurrency: 8 }
const files = [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }]
const modelOf = (name: string, engine: Manifest['engine'], attempts = 5): LocalModel => ({
  manifest: v.parse(Manifest, { name, version: '1', engine, files, limits: { ...limits, attempts } }),
  dir: '/models',
})
const MODELS: Record<string, LocalModel | Problem> = {
  teller: modelOf('teller', 'text-generation'),
  twice: modelOf('twice', 'text-generation', 2),
  judge: modelOf('judge', 'text-classification'),
  broken: { kind: 'model-damaged', detail: 'model.onnx is missing.' },
}

function setup(logger = silentLogger) {
  const log = new GatedLog()
  const clock = new ManualClock()
  const outcomes = new MemoryOutcomes()
  const id = newRequestId(clock.now())
  const find = (name: string) => MODELS[name] ?? { kind: 'model-not-found' as const, detail: `no ${name}` }
  const open = (node: string) => {
    const runner = new ScriptedRunner()
    const options = { node, log, outcomes, models: { find }, runner, clock, logger, random: () => 1 }
    return { runner, jobs: new JobRunner({ ...options, coalesceMs: 5, progressMs: 4_000 }) }
  }
  const job: Job = {
    id,
    shard: 0,
    model: 'teller',
    version: '1',
    lane: 'interactive',
    input: 'Once',
    parameters: {},
    sentAt: clock.now(),
    deadlineAt: clock.now() + 60_000,
    dispatch: 1,
    log: { events: [], sequence: 0 },
  }
  const deliver = (change: Partial<Job> = {}, count = 1) => {
    const sent = { ...job, ...change }
    return new MemoryDelivery(jobSubject(0, sent.lane, sent.model), JSON.stringify(sent), count)
  }
  const events = async () => (await log.read(0, id)).events
  const types = async () => (await events()).map(({ type }) => type)
  /** As the edge does, or another node. */
  const write = async (event: NewEvent) => {
    const { events, sequence } = await log.read(0, id)
    await log.append(0, id, { ...event, n: events.length + 1, at: clock.now() } as RequestEvent, sequence)
  }
  return { log, clock, outcomes, id, open, job, deliver, events, types, write, ...open('node-a') }
}

test('a job is started, said, completed, recorded and acknowledged', async () => {
  const { jobs, runner, deliver, events, outcomes, id, clock } = setup()
  const delivery = deliver()
  const done = jobs.deliver(delivery)
  const run = await runner.next()
  expect(run.run).toMatchObject({ id, input: 'Once', prior: { tokens: [], text: '' } })
  run.say(' upon', 1)
  run.finish()
  await done
  expect(await events()).toMatchObject([
    { n: 1, type: 'started', node: 'node-a', attempt: 1 },
    { n: 2, type: 'responses', response: ' upon', tokens: [1] },
    { n: 3, type: 'completed' },
  ])
  expect(outcomes.facts.get(`${id}.0`)).toMatchObject({ status: 'completed', parts: 1, events: await events() })
  expect(outcomes.deaths.size).toBe(0)
  expect(delivery.said).toEqual(['ack'])
  expect(jobs.busy).toBe(0)
  expect(clock.timers).toBe(0)
})

test('the next attempt of a generation goes on from what the log holds', async () => {
  const { jobs, runner, deliver, write, events } = setup()
  await write({ type: 'started', node: 'dead', attempt: 1 })
  await write({ type: 'responses', response: ' upon', tokens: [1, 2] })
  await write({ type: 'progress', elapsedMs: 4_000 })
  await write({ type: 'responses', response: ' a', tokens: [3] })
  const done = jobs.deliver(deliver({}, 2))
  const run = await runner.next()
  expect(run.run.prior).toEqual({ tokens: [1, 2, 3], text: ' upon a' })
  run.say(' time', 4)
  run.finish()
  await done
  expect((await events()).slice(4)).toMatchObject([
    { n: 5, type: 'started', node: 'node-a', attempt: 2 },
    { n: 6, response: ' time', tokens: [4] },
    { n: 7, type: 'completed' },
  ])
})

test('the seed is the caller’s, else the same on every node', async () => {
  const { open, job, deliver } = setup()
  const seedOn = async (node: string, parameters: Job['parameters']) => {
    const { jobs, runner } = open(node)
    void jobs.deliver(deliver({ parameters, dispatch: 2 }, 2))
    const { run } = await runner.next()
    return run.seed
  }
  expect(await seedOn('a', { seed: 7 })).toBe(7)
  expect(await seedOn('b', {})).toBe(await seedOn('c', {}))
  expect(job.parameters).toEqual({})
})

test('a one-shot model that has answered is completed without a run', async () => {
  const { jobs, runner, deliver, write, types } = setup()
  await write({ type: 'started', node: 'dead', attempt: 1 })
  await write({ type: 'responses', response: { label: 'good', scores: [1] } })
  await jobs.deliver(deliver({ model: 'judge' }, 2))
  expect(await types()).toEqual(['started', 'responses', 'completed'])
  expect(runner.runs).toHaveLength(0)
})

test('a place in the queue that the edge told after it sent the job is read, and the run goes on', async () => {
  const { jobs, runner, deliver, write, types, outcomes, id } = setup()
  await write({ type: 'queued', position: 4 })
  const done = jobs.deliver(deliver())
  ;(await runner.next()).finish()
  await done
  expect(await types()).toEqual(['queued', 'started', 'completed'])
  expect(outcomes.facts.get(`${id}.0`)?.events).toHaveLength(3)
})

test('the record gets the whole log also when the job came with its beginning', async () => {
  const { jobs, runner, deliver, write, log, outcomes, id } = setup()
  await write({ type: 'queued', position: 4 })
  const { events, sequence } = await log.read(0, id)
  const done = jobs.deliver(deliver({ log: { events: [...events], sequence } }))
  ;(await runner.next()).finish()
  await done
  expect(outcomes.facts.get(`${id}.0`)?.events.map(({ type }) => type)).toEqual(['queued', 'started', 'completed'])
})

test('a log that has ended is recorded again and never written', async () => {
  const { jobs, runner, deliver, write, types, outcomes, id } = setup()
  await write({ type: 'cancelled' })
  for (const count of [1, 2]) {
    const delivery = deliver({}, count)
    await jobs.deliver(delivery)
    expect(delivery.said).toEqual(['ack'])
  }
  expect(await types()).toEqual(['cancelled'])
  expect([...outcomes.facts.keys()]).toEqual([`${id}.0`])
  expect(runner.runs).toHaveLength(0)
})

test('a job past its deadline is expired, also when its model is not here', async () => {
  const { clock, jobs, deliver, types } = setup()
  await jobs.deliver(deliver({ deadlineAt: clock.now(), model: 'broken' }))
  expect(await types()).toEqual(['expired'])
})

test('the deadline stops a run', async () => {
  const { jobs, runner, deliver, clock, types } = setup()
  const done = jobs.deliver(deliver())
  const run = await runner.next()
  run.say(' upon')
  await clock.advance(60_000)
  await done
  expect(run.signal.aborted).toBe(true)
  expect(new Set(await types())).toEqual(new Set(['started', 'responses', 'progress', 'expired']))
})

test('a cancellation stops a run, keeps what was said, and ends the log', async () => {
  const { jobs, runner, deliver, types, id } = setup()
  const delivery = deliver()
  const done = jobs.deliver(delivery)
  const run = await runner.next()
  run.say(' upon')
  jobs.cancel(id)
  run.say(' too late')
  await done
  expect(run.signal.aborted).toBe(true)
  expect(await types()).toEqual(['started', 'responses', 'cancelled'])
  expect(delivery.said).toEqual(['ack'])
})

test('stopped from outside after its deadline, a run has expired', async () => {
  const { jobs, runner, deliver, types, id, clock } = setup()
  const done = jobs.deliver(deliver())
  await runner.next()
  clock.now = () => 1_700_000_060_000
  jobs.cancel(id)
  await done
  expect((await types()).at(-1)).toBe('expired')
})

test('a place in the queue that the edge tells in the middle of a run does not disturb it', async () => {
  const { jobs, runner, deliver, types, write } = setup()
  const done = jobs.deliver(deliver())
  const run = await runner.next()
  await write({ type: 'queued', position: 1 })
  run.say('Once')
  run.finish()
  await done
  expect(await types()).toEqual(['started', 'queued', 'responses', 'completed'])
})

test('a cancellation that the edge wrote itself stops the run and is recorded', async () => {
  const { jobs, runner, deliver, write, types, outcomes, id } = setup()
  const delivery = deliver()
  const done = jobs.deliver(delivery)
  const run = await runner.next()
  await write({ type: 'cancelled' })
  run.say(' upon')
  await done
  expect(run.signal.aborted).toBe(true)
  expect(await types()).toEqual(['started', 'cancelled'])
  expect(outcomes.facts.get(`${id}.0`)?.status).toBe('cancelled')
  expect(delivery.said).toEqual(['ack'])
})

test('a zombie stops at its next word and says nothing to the broker', async () => {
  const { jobs, runner, deliver, open, types } = setup()
  const first = deliver()
  const zombie = jobs.deliver(first)
  const run = await runner.next()
  const heir = open('node-b')
  const done = heir.jobs.deliver(deliver({}, 2))
  const heirRun = await heir.runner.next()
  run.say(' from the grave')
  await zombie
  expect(first.said).toEqual([])
  heirRun.finish()
  await done
  expect(await types()).toEqual(['started', 'started', 'completed'])
})

const crash: Problem = { kind: 'host-crashed', detail: 'gone' }

test('a failed attempt is tried again, later and later, until the budget is spent; then it fails and is kept', async () => {
  const { jobs, runner, deliver, types, events, outcomes, id } = setup()
  const said: string[] = []
  for (let attempt = 1; attempt <= 3; attempt++) {
    // How often it was delivered does not matter.
    const delivery = deliver({ model: 'twice' }, attempt * 2)
    const done = jobs.deliver(delivery)
    const run = await Promise.race([runner.next(), done])
    run?.fail(new ProblemError(crash))
    await done
    said.push(...delivery.said)
  }
  expect(said).toEqual(['nak 500', 'ack', 'ack'])
  expect(await types()).toEqual(['started', 'retrying', 'started', 'failed'])
  expect(await events()).toMatchObject([
    { attempt: 1 },
    { attempt: 2, inMs: 500, problem: crash },
    { attempt: 2 },
    { problem: crash, retriable: true },
  ])
  expect([...outcomes.deaths.values()]).toMatchObject([{ problem: crash, deliveries: 6, job: { id } }])
  expect([...outcomes.deaths.values()][0]?.attempts).toMatchObject([
    { attempt: 1, node: 'node-a', problem: crash },
    { attempt: 2, node: 'node-a', problem: crash },
  ])
  expect(outcomes.facts.get(`${id}.0`)).toMatchObject({ status: 'failed', problem: crash })
})

test('what was not the fault of the request costs it no attempt', async () => {
  const { jobs, runner, deliver, events } = setup()
  for (let count = 1; count <= 4; count++) {
    const delivery = deliver({ model: 'twice' }, count)
    const done = jobs.deliver(delivery)
    ;(await runner.next()).fail(new BystanderError(crash, false))
    await done
    expect(delivery.said).toEqual(['nak 0'])
  }
  const starts = (await events()).filter(({ type }) => type === 'started')
  expect(starts.map((event) => event.type === 'started' && event.attempt)).toEqual([1, 1, 1, 1])
})

test('a node without room gives the job back for as long as it says, and nothing is charged', async () => {
  const { jobs, runner, deliver, events } = setup()
  for (let count = 1; count <= 4; count++) {
    const delivery = deliver({ model: 'twice' }, count)
    const done = jobs.deliver(delivery)
    const problem = { kind: 'queue-full' as const, detail: 'No memory.', retryAfterMs: 700 }
    ;(await runner.next()).fail(new ProblemError(problem))
    await done
    expect(delivery.said).toEqual(['nak 700'])
  }
  const starts = (await events()).filter(({ type }) => type === 'started')
  expect(starts.map((event) => event.type === 'started' && event.attempt)).toEqual([1, 1, 1, 1])
})

test('a request whose nodes all died without a word fails when its budget is spent, and is kept', async () => {
  const { jobs, runner, deliver, write, events, outcomes } = setup()
  await write({ type: 'started', node: 'dead', attempt: 1 })
  await write({ type: 'started', node: 'gone', attempt: 2 })
  const delivery = deliver({ model: 'twice' }, 3)
  await jobs.deliver(delivery)
  expect(runner.runs).toHaveLength(0)
  expect(delivery.said).toEqual(['ack'])
  expect((await events()).at(-1)).toMatchObject({ type: 'failed', problem: { kind: 'host-crashed' }, retriable: true })
  expect([...outcomes.deaths.values()]).toMatchObject([{ attempts: [{ node: 'dead' }, { node: 'gone' }] }])
})

test('a request that is queued again has its whole budget again', async () => {
  const { jobs, runner, deliver, write, types } = setup()
  await write({ type: 'started', node: 'dead', attempt: 1 })
  await write({ type: 'started', node: 'gone', attempt: 2 })
  await write({ type: 'failed', problem: crash, retriable: true })
  await write({ type: 'queued', position: 0 })
  const done = jobs.deliver(deliver({ model: 'twice', dispatch: 2 }))
  ;(await runner.next()).finish()
  await done
  expect((await types()).slice(-3)).toEqual(['queued', 'started', 'completed'])
})

test('the last delivery that the broker makes ends the request, whatever its budget', async () => {
  const { jobs, runner, deliver, types, events, outcomes } = setup()
  const delivery = deliver({}, MAX_DELIVER)
  const done = jobs.deliver(delivery)
  ;(await runner.next()).fail(new ProblemError(crash))
  await done
  expect(await types()).toEqual(['started', 'failed'])
  expect((await events()).at(-1)).toMatchObject({ retriable: true })
  expect(delivery.said).toEqual(['ack'])
  expect(outcomes.deaths.size).toBe(1)
})

test('what the caller did wrong fails at once, after what was said', async () => {
  const { jobs, runner, deliver, types, events } = setup()
  const done = jobs.deliver(deliver())
  const run = await runner.next()
  run.say('Once')
  run.fail(new ProblemError({ kind: 'input-mismatch', detail: 'input: too long' }))
  await done
  expect(await types()).toEqual(['started', 'responses', 'failed'])
  expect((await events()).at(-1)).toMatchObject({ retriable: false })
})

test('what was said before a crash is in the log before another goes on', async () => {
  const { jobs, runner, deliver, types, clock } = setup()
  const delivery = deliver()
  const done = jobs.deliver(delivery)
  const run = await runner.next()
  run.say('Once', 1)
  run.say(' upon', 2)
  run.fail(new ProblemError({ kind: 'host-crashed', detail: '' }))
  await done
  expect(await types()).toEqual(['started', 'responses', 'responses', 'retrying'])
  expect(delivery.said).toEqual(['nak 500'])
  expect(clock.timers).toBe(0)
})

test('a model that this node cannot run is left to another, without a word in the log', async () => {
  const { jobs, deliver, types } = setup()
  for (const model of ['broken', 'unknown']) {
    const delivery = deliver({ model })
    await jobs.deliver(delivery)
    expect(delivery.said).toEqual(['nak 500'])
  }
  expect(await types()).toEqual([])
})

test('a job whose model is nowhere comes back ever more slowly, and fails with its last delivery', async () => {
  const { jobs, deliver, types, outcomes } = setup()
  const said: string[] = []
  for (const count of [1, 2, 3, 9, MAX_DELIVER]) {
    const delivery = deliver({ model: 'unknown' }, count)
    await jobs.deliver(delivery)
    said.push(...delivery.said)
  }
  expect(said).toEqual(['nak 500', 'nak 1000', 'nak 2000', 'nak 10000', 'ack'])
  expect(await types()).toEqual(['failed'])
  expect(outcomes.deaths.size).toBe(1)
})

test('no retry is put off past the deadline', async () => {
  const { jobs, deliver, clock } = setup()
  const delivery = deliver({ model: 'broken', deadlineAt: clock.now() + 120 })
  await jobs.deliver(delivery)
  expect(delivery.said).toEqual(['nak 120'])
})

test('a bug is logged with its cause, and shown without a message', async () => {
  const errors: unknown[] = []
  const { jobs, runner, deliver, events } = setup({ ...silentLogger, error: (_, fields) => void errors.push(fields) })
  const done = jobs.deliver(deliver({}, MAX_DELIVER))
  const bug = new TypeError('secret')
  ;(await runner.next()).fail(bug)
  await done
  expect(errors).toMatchObject([{ cause: bug }])
  expect(JSON.stringify(await events())).not.toContain('secret')
})

test('an answer that is too large fails and stops the run', async () => {
  const { jobs, runner, deliver, events } = setup()
  const done = jobs.deliver(deliver({ model: 'judge' }))
  const run = await runner.next()
  run.say({ label: 'x'.repeat(4_000_000) })
  await done
  expect(run.signal.aborted).toBe(true)
  expect((await events()).at(-1)).toMatchObject({ type: 'failed', problem: { kind: 'too-large' }, retriable: false })
})

test('a message that is no job is kept, failed for its client, and never delivered again', async () => {
  const { jobs, id, types, outcomes } = setup()
  const nothing = new MemoryDelivery('jobs.0.interactive.teller', '{ not json', 1, 17)
  const half = new MemoryDelivery('jobs.0.interactive.teller', JSON.stringify({ id, shard: 0, model: 'teller' }), 1)
  await jobs.deliver(nothing)
  await jobs.deliver(half)
  expect([nothing.said, half.said]).toEqual([['term internal'], ['term internal']])
  expect(outcomes.deaths.get('sequence-17.unreadable')).toMatchObject({ message: '{ not json' })
  expect(outcomes.deaths.get(`${id}.unreadable`)?.problem.detail).toContain('version')
  expect(await types()).toEqual(['failed'])
  expect(outcomes.facts.get(`${id}.0`)?.status).toBe('failed')
})

test('a second delivery of a job that runs here joins it', async () => {
  const { jobs, runner, deliver, types } = setup()
  const [first, second] = [deliver(), deliver({}, 2)]
  const done = jobs.deliver(first)
  const run = await runner.next()
  await jobs.deliver(second)
  jobs.working()
  expect(jobs.busy).toBe(1)
  run.finish()
  await done
  expect(runner.runs).toHaveLength(1)
  expect(await types()).toEqual(['started', 'completed'])
  expect([first.said, second.said]).toEqual([
    ['working', 'ack'],
    ['working', 'ack'],
  ])
})

test('what runs is handed back: what was said is in the log, and the job is free at once', async () => {
  const { jobs, runner, deliver, types, events, open } = setup()
  const delivery = deliver()
  const done = jobs.deliver(delivery)
  const run = await runner.next()
  run.say('Once', 1)
  run.say(' upon', 2)
  jobs.handBack()
  await jobs.idle()
  await done
  expect(delivery.said).toEqual(['nak 0'])
  expect(await types()).toEqual(['started', 'responses', 'responses', 'retrying'])
  const heir = open('node-b')
  const again = heir.jobs.deliver(deliver({}, 2))
  const goesOn = await heir.runner.next()
  expect(goesOn.run.prior).toEqual({ tokens: [1, 2], text: 'Once upon' })
  goesOn.finish()
  await again
  expect((await events()).slice(3)).toMatchObject([
    { type: 'retrying', attempt: 1, inMs: 0 },
    { type: 'started', node: 'node-b', attempt: 1 },
    { type: 'completed' },
  ])
})

test('a log that the broker loses in the middle is written again as it was, and its old delivery is not acknowledged', async () => {
  const { jobs, runner, deliver, log, events, clock } = setup()
  const [old, fresh] = [deliver(), deliver({ dispatch: 2 }, 1)]
  Object.assign(fresh, { epoch: 1 })
  const done = jobs.deliver(old)
  const run = await runner.next()
  run.say('Once', 1)
  await settled()
  const before = await events()
  log.loseState()
  expect(await events()).toEqual([])
  await jobs.verify()
  expect(await events()).toEqual(before)
  await jobs.deliver(fresh)
  run.say(' upon', 2)
  run.finish()
  await clock.advance(100)
  await done
  expect((await events()).map(({ n, type }) => [n, type])).toEqual([
    [1, 'started'],
    [2, 'responses'],
    [3, 'responses'],
    [4, 'completed'],
  ])
  expect([old.said, fresh.said]).toEqual([[], ['ack']])
})

test('what ended a moment before the broker lost its state is told again', async () => {
  const { jobs, runner, deliver, log, events, outcomes, id } = setup()
  const done = jobs.deliver(deliver())
  const run = await runner.next()
  run.say('Once', 1)
  run.finish()
  await done
  const whole = await events()
  log.loseState()
  outcomes.facts.clear()
  await jobs.verify()
  expect(await events()).toEqual(whole)
  expect(outcomes.facts.get(`${id}.0`)?.events).toEqual([...whole])
  // Nothing is lost now, and nothing is told again.
  outcomes.facts.clear()
  log.epoch++
  await jobs.verify()
  expect(outcomes.facts.size).toBe(0)
})

test('a log that was given back a moment before the broker lost its state is written again, and goes on', async () => {
  const { jobs, runner, deliver, log, events, clock } = setup()
  const done = jobs.deliver(deliver())
  const run = await runner.next()
  run.say('Once', 1)
  run.fail(new ProblemError(crash))
  await done
  const before = await events()
  log.loseState()
  await jobs.verify()
  expect(await events()).toEqual(before)
  const again = jobs.deliver(deliver({ dispatch: 2 }))
  const next = await runner.next()
  expect(next.run.prior).toEqual({ tokens: [1], text: 'Once' })
  next.finish()
  await again
  expect((await events()).slice(before.length)).toMatchObject([{ type: 'started', attempt: 2 }, { type: 'completed' }])
  expect(clock.timers).toBe(0)
})

test('a job that is sent again is put off a moment, for whoever may have its log to write it again', async () => {
  const { jobs, runner, deliver, write, types } = setup()
  await write({ type: 'queued', position: 0 })
  const first = deliver({ dispatch: 2 })
  await jobs.deliver(first)
  expect(first.said).toEqual(['nak 2000'])
  const done = jobs.deliver(deliver({ dispatch: 2 }, 2))
  ;(await runner.next()).finish()
  await done
  expect(await types()).toEqual(['queued', 'started', 'completed'])
})

test('every event of a run is in one line, with one end, whatever the moment of a cancellation', async () => {
  for (let moment = 0; moment < 6; moment++) {
    const { jobs, runner, deliver, log, events, id, clock } = setup()
    const done = jobs.deliver(deliver())
    if (moment === 0) jobs.cancel(id)
    else {
      const run = await runner.next()
      if (moment === 1) jobs.cancel(id)
      log.shut()
      run.say('Once')
      if (moment === 2) jobs.cancel(id)
      run.finish()
      if (moment === 3) jobs.cancel(id)
      await settled()
      if (moment === 4) jobs.cancel(id)
      log.open()
      if (moment === 5) jobs.cancel(id)
    }
    await clock.advance(100)
    await done
    const written = await events()
    expect(written.map(({ n }) => n)).toEqual(written.map((_, index) => index + 1))
    expect(written.filter(isTerminal)).toHaveLength(1)
  }
})
