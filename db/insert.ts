import type { Accepted, Ended, Predicted } from '@oriel/protocol/fact'
import type { Fact } from './parse-fact.ts'

/**
 * One statement for a whole batch, so one round trip and one transaction, with one parameter for each table:
 * thirty times and more the rows per second of single inserts. Facts that are there already change nothing, but that a prediction which failed on one node and
 * was then answered by another is one that was answered, in whichever order the two are told.
 *
 * What came from clients and models goes in as text inside the parameter and becomes `json` only in its
 * column: as a part of the `jsonb` it would lose the order of its keys, and be refused for a "\u0000".
 */
export const INSERT = `
  with accepted as (
    insert into requests (id, user_id, request_id, model_id, version, request, body_hash, deadline_at)
    select id, user_id, request_id, model_id, version, request::json, body_hash, to_timestamp(deadline_at / 1000)
    from jsonb_to_recordset($1::text::jsonb) as fact (
      id uuid, user_id text, request_id text, model_id text, version text, request text, body_hash text,
      deadline_at float8
    )
    on conflict do nothing
  ), predicted as (
    insert into predictions (id, user_id, model_id, version, node, status, problem, took_ms, input, output)
    select id, user_id, model_id, version, node, status, problem::json, took_ms, input::json, output::json
    from jsonb_to_recordset($3::text::jsonb) as fact (
      id uuid, user_id text, model_id text, version text, node text, status text, problem text, took_ms float8,
      input text, output text
    )
    on conflict (id) do update set
      node = excluded.node, status = excluded.status, problem = excluded.problem, took_ms = excluded.took_ms,
      input = excluded.input, output = excluded.output
    where predictions.status = 'failed' and excluded.status = 'completed'
  )
  insert into responses (request_id, n, part, parts, status, problem, ended_at, events, last_event_id)
  select request_id, n, part, parts, status, problem::json, to_timestamp(ended_at / 1000), events::json, last_event_id
  from jsonb_to_recordset($2::text::jsonb) as fact (
    request_id uuid, n int, part int, parts int, status text, problem text, ended_at float8, events text, last_event_id int
  )
  on conflict do nothing`

/** The parameters of `INSERT`. */
export function insertParameters(facts: readonly Fact[]): [string, string, string] {
  const accepted = facts.flatMap((fact) => (fact.kind === 'accepted' ? [acceptedRow(fact.fact)] : []))
  const ended = facts.flatMap((fact) => (fact.kind === 'ended' ? [endedRow(fact.fact)] : []))
  const predicted = facts.flatMap((fact) => (fact.kind === 'predicted' ? predictedRows(fact.fact) : []))
  const predictions = [...oneEach(predicted).values()]
  // In one order everywhere: two recorders with the same facts wait for each other, but not in a circle.
  accepted.sort((a, b) => order(a.id, b.id))
  ended.sort((a, b) => order(a.request_id, b.request_id) || a.n - b.n || a.part - b.part)
  predictions.sort((a, b) => order(a.id, b.id))
  return [JSON.stringify(accepted), JSON.stringify(ended), JSON.stringify(predictions)]
}

const acceptedRow = (fact: Accepted) => ({
  id: fact.id,
  user_id: fact.user,
  request_id: fact.requestID,
  model_id: fact.model,
  version: fact.version,
  request: JSON.stringify(fact.request),
  body_hash: fact.bodyHash,
  deadline_at: fact.deadlineAt,
})

const endedRow = (fact: Ended) => ({
  request_id: fact.id,
  n: fact.n,
  part: fact.part,
  parts: fact.parts,
  status: fact.status,
  problem: fact.problem === undefined ? null : JSON.stringify(fact.problem),
  ended_at: fact.endedAt,
  events: JSON.stringify(fact.events),
  last_event_id: fact.events.at(-1)?.n ?? 0,
})

const predictedRows = ({ node, predictions }: Predicted) =>
  predictions.map(({ id, user, model, version, status, problem, tookMs, input, output }) => ({
    id,
    user_id: user,
    model_id: model,
    version,
    node,
    status,
    problem: problem === undefined ? null : JSON.stringify(problem),
    took_ms: tookMs,
    input: JSON.stringify(input),
    output: output === undefined ? null : JSON.stringify(output),
  }))

/** A statement can change a row only once. */
function oneEach(rows: readonly PredictedRow[]): Map<string, PredictedRow> {
  const byId = new Map<string, PredictedRow>()
  for (const row of rows) {
    const known = byId.get(row.id)
    if (!known || (known.status === 'failed' && row.status === 'completed')) byId.set(row.id, row)
  }
  return byId
}

type PredictedRow = ReturnType<typeof predictedRows>[number]

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
