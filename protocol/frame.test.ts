import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { openFrame, packFrame } from './frame.ts'
import { ProblemError } from './problem.ts'

const bytes = fc.uint8Array({ maxLength: 200 })

test('what is packed is what is opened, wherever the frame stands in memory', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), bytes, fc.nat(), fc.nat(9), (head, body, some, offset) => {
      const headerLength = some % (body.length + 1)
      const packed = packFrame(head, body, headerLength)
      const around = new Uint8Array(packed.length + 20).fill(7)
      around.set(packed, offset)
      const opened = openFrame(around.subarray(offset, offset + packed.length))
      expect(JSON.stringify(opened.head)).toBe(JSON.stringify(head))
      expect(opened.message).toEqual({ body, headerLength })
    }),
  )
})

test('a text is a message without binary tensors', () => {
  const { message } = openFrame(packFrame({}, '{"é":1}'))
  expect(message.headerLength).toBe(message.body.byteLength)
  expect(new TextDecoder().decode(message.body)).toBe('{"é":1}')
})

test('whatever else the bytes are, they are refused', () => {
  fc.assert(
    fc.property(fc.oneof(bytes, fc.tuple(fc.nat(300), fc.nat(300), bytes).map(lengths)), (frame) => {
      try {
        openFrame(frame)
      } catch (error) {
        expect(error).toBeInstanceOf(ProblemError)
      }
    }),
  )
  for (const frame of [new Uint8Array(), new Uint8Array(7), lengths([3, 0, new Uint8Array()])]) {
    expect(() => openFrame(frame)).toThrow(ProblemError)
  }
})

function lengths([head, header, rest]: [number, number, Uint8Array]): Uint8Array {
  const frame = new Uint8Array(8 + rest.length)
  const view = new DataView(frame.buffer)
  view.setUint32(0, head, true)
  view.setUint32(4, header, true)
  frame.set(rest, 8)
  return frame
}
