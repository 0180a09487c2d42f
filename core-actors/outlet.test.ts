import { expect, test } from 'bun:test'
import { Budget } from './budget.ts'
import { Outlet, Turn } from './outlet.ts'

function outletOf(budget = new Budget(1_000_000)) {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const told: string[] = []
  const outlet = new Outlet(writable, {
    turn: new Turn(),
    budget,
    onRoom: () => told.push('room'),
    onGone: () => told.push('gone'),
  })
  return { outlet, readable, told }
}

test('an end comes after everything that was written', async () => {
  const { outlet, readable, told } = outletOf()
  outlet.write('a')
  outlet.write('b')
  outlet.close()
  expect(await new Response(readable).text()).toBe('retry: 500\n\nab')
  expect(told).toEqual(['gone'])
})

test('a full buffer says so, and says again when there is room', async () => {
  const { outlet, readable, told } = outletOf()
  expect(outlet.write('x'.repeat(60_000))).toBe(true)
  expect(outlet.write('x'.repeat(10_000))).toBe(false)
  const reader = readable.getReader()
  await reader.read()
  await Bun.sleep(0)
  expect(told).toEqual(['room'])
})

test('what waits is taken from what all share, until it has been read or its reader has gone', async () => {
  const budget = new Budget(1_000_000)
  const [read, left] = [outletOf(budget), outletOf(budget)]
  const opening = budget.used
  read.outlet.write('x'.repeat(1_000))
  left.outlet.write('x'.repeat(2_000))
  expect(budget.used).toBe(opening + 3_000)
  await left.readable.cancel()
  await read.readable.getReader().read()
  await Bun.sleep(0)
  expect(budget.used).toBe(0)
})

test('while others hold too much, a buffer is full sooner', () => {
  const budget = new Budget(10_000)
  expect(outletOf(budget).outlet.write('x'.repeat(9_000))).toBe(true)
  expect(outletOf(budget).outlet.write('x'.repeat(5_000))).toBe(false)
})

test('a heartbeat goes out when nothing else waits, and notices a reader that has gone', async () => {
  const { outlet, readable, told } = outletOf()
  const reader = readable.getReader()
  await reader.read()
  await Bun.sleep(0)
  outlet.beat()
  expect(new TextDecoder().decode((await reader.read()).value)).toBe(': heartbeat\n\n')
  await reader.cancel()
  await Bun.sleep(0)
  expect(told).toEqual(['gone'])
})

test('a reader that does not take is sent no heartbeats on top', async () => {
  const { outlet, readable } = outletOf()
  outlet.write('a')
  await Bun.sleep(0)
  outlet.beat()
  outlet.close()
  expect(await new Response(readable).text()).toBe('retry: 500\n\na')
})
