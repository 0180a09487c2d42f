import { expect, test } from 'bun:test'
import { DATATYPES } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import type { NamedTensor } from '@oriel/protocol/tensor'
import fc from 'fast-check'
import type { Message } from './message.ts'
import { received } from './message.ts'
import type { InferenceAnswer, InferenceCall } from './port.ts'
import type { AnswerForm } from './request.ts'
import { decodeRequest, encodeRequest } from './request.ts'
import { decodeResponse, encodeResponse } from './response.ts'
import { tensors } from './testing/tensors.ts'

const text = fc.string({ unit: 'binary' })
const parameters = fc.dictionary(
  // The first three are not let in, because they are no names in JavaScript; the others are the protocol's own.
  text.filter((name) => !['__proto__', 'prototype', 'constructor', 'timeout', 'priority'].includes(name)),
  fc.oneof(
    text,
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
  ),
)

test('a request is the same after a journey, as JSON and in binary', () => {
  const calls = fc.record({ id: text, parameters, inputs: tensors, outputs: fc.uniqueArray(text, { minLength: 1 }) })
  fc.assert(
    fc.property(calls, fc.boolean(), fc.boolean(), (call: InferenceCall, binary, binaryAnswer) => {
      const { id, outputs = [] } = call
      const form: AnswerForm = {
        ...(id !== undefined && { id }),
        binary: binaryAnswer,
        outputs: outputs.map((name, index) => ({
          name,
          binary: index % 2 === 0,
          ...(index > 1 && { classes: index }),
        })),
      }
      const arrived = decodeRequest(received(encodeRequest(call, form, { binary })))
      expect(plain(arrived.call)).toEqual(plain(call))
      expect(arrived.form).toEqual(form)
    }),
  )
})

test('an answer is the same after a journey, as JSON and in binary', () => {
  const answers = fc.record({ model: text, version: text, parameters, outputs: tensors })
  fc.assert(
    fc.property(answers, fc.boolean(), (answer: InferenceAnswer, binary) => {
      const arrived = decodeResponse(received(encodeResponse(answer, { id: 'x', binary })))
      expect(plain(arrived)).toEqual(plain({ id: 'x', ...answer }))
    }),
  )
})

test('whatever the bytes are, the worst is a problem of the kind invalid-request', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.option(fc.nat(80), { nil: undefined }), (body, headerLength) => {
      onlyInvalidRequest({ body, ...(headerLength !== undefined && { headerLength }) })
    }),
  )
})

test('whatever was changed in a request, the worst is a problem of the kind invalid-request', () => {
  const change = fc.record({
    at: fc.nat(),
    byte: fc.nat(255),
    cut: fc.boolean(),
    shift: fc.integer({ min: -9, max: 9 }),
  })
  fc.assert(
    fc.property(tensors, fc.boolean(), change, (inputs, binary, { at, byte, cut, shift }) => {
      const { body, headerLength } = received(encodeRequest({ parameters: {}, inputs }, { binary: true }, { binary }))
      const changed = cut ? body.slice(0, at % (body.length + 1)) : body.slice()
      if (changed.length > 0) changed[at % changed.length] = byte
      const length = headerLength === undefined ? {} : { headerLength: Math.max(0, headerLength + shift) }
      onlyInvalidRequest({ body: changed, ...length })
    }),
    { numRuns: 500 },
  )
})

test('whatever the JSON is, the worst is a problem of the kind invalid-request', () => {
  const anything = fc.oneof(fc.constant(null), fc.boolean(), fc.nat(), text, fc.jsonValue({ maxDepth: 1 }))
  const shape = fc.oneof(fc.array(fc.integer({ min: -1, max: 4 }), { maxLength: 4 }), fc.array(fc.maxSafeNat()))
  const input = fc.record(
    {
      name: fc.oneof(text, anything),
      datatype: fc.oneof(fc.constantFrom(...DATATYPES, 'BF16'), anything),
      shape: fc.oneof(shape, anything),
      data: fc.oneof(fc.array(fc.oneof(fc.double(), fc.integer(), text, anything), { maxLength: 6 }), anything),
      parameters: fc.oneof(fc.record({ binary_data_size: fc.nat(40) }), anything),
    },
    { requiredKeys: [] },
  )
  const request = fc.record(
    { inputs: fc.array(input, { maxLength: 3 }), outputs: anything },
    { requiredKeys: ['inputs'] },
  )
  fc.assert(
    fc.property(request, fc.uint8Array({ maxLength: 40 }), (head, tail) => {
      const json = new TextEncoder().encode(JSON.stringify(head))
      onlyInvalidRequest({ body: Uint8Array.of(...json, ...tail), headerLength: json.length })
    }),
    { numRuns: 300 },
  )
})

function onlyInvalidRequest(message: Message): void {
  try {
    decodeRequest(message)
  } catch (error) {
    expect(error).toBeInstanceOf(ProblemError)
    if (error instanceof ProblemError) expect(error.problem.kind).toBe('invalid-request')
  }
}

/** Floats as their bytes, because NaN and -0 must arrive too; of NaN there are many, and one is as good as another. */
function plain<T extends { inputs?: readonly NamedTensor[]; outputs?: readonly unknown[] }>(message: T): unknown {
  return JSON.parse(
    JSON.stringify(message, (_key, value: unknown) =>
      ArrayBuffer.isView(value)
        ? Array.from(value as Float64Array, (item) => `${Object.is(item, -0) ? '-0' : item}`)
        : value,
    ),
  )
}
