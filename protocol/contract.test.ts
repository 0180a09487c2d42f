import { expect, test } from 'bun:test'
import { toJsonSchema } from '@valibot/to-json-schema'
import { ModelAliases } from './alias.ts'
import { Backlog } from './backlog.ts'
import { RequestEvent } from './event.ts'
import { Accepted, Ended, Predicted } from './fact.ts'
import { Job } from './job.ts'
import { NodeStatus } from './node-status.ts'
import { Placement } from './placement.ts'
import { AnswerHead, PredictionHead } from './prediction.ts'
import { BUCKETS, STREAMS } from './streams.ts'
import * as subjects from './subjects.ts'
import { Volume } from './volume.ts'

// If this fails, programs of yesterday and of today no longer agree. Adding an optional field: update the
// snapshot. Anything else: a new version of the stream and its subjects beside the old one, and an ADR.
test('the wire contract has not changed', () => {
  expect({
    streams: STREAMS.map(({ name, subjects }) => ({ name, subjects })),
    buckets: BUCKETS.map(({ name }) => name),
    subjects: {
      job: subjects.jobSubject(3, 'batch', 'm'),
      progress: subjects.progressSubject(2, 'id'),
      live: subjects.liveShard(2),
      accepted: subjects.acceptedSubject('id'),
      ended: subjects.endedSubject('id'),
      dead: subjects.deadSubject('m', 'id'),
      predicted: subjects.predictedSubject('id'),
      predict: subjects.predictSubject('node', 'm'),
      answer: subjects.answerSubject('line', 7),
      cancel: subjects.cancelSubject('id'),
      volume: subjects.volumeSubject(2),
      backlog: subjects.BACKLOG,
      model: subjects.modelKey('m', '1'),
      warm: subjects.warmSubject('node'),
      warmed: subjects.warmedSubject('node', 'm', '1'),
      token: subjects.TOKEN.source,
    },
    job: toJsonSchema(Job),
    event: toJsonSchema(RequestEvent),
    accepted: toJsonSchema(Accepted),
    ended: toJsonSchema(Ended),
    predicted: toJsonSchema(Predicted),
    prediction: toJsonSchema(PredictionHead),
    answer: toJsonSchema(AnswerHead),
    node: toJsonSchema(NodeStatus),
    placement: toJsonSchema(Placement),
    volume: toJsonSchema(Volume),
    backlog: toJsonSchema(Backlog),
    aliases: toJsonSchema(ModelAliases, { errorMode: 'ignore' }),
  }).toMatchSnapshot()
})
