import { join } from 'node:path'
import type { PythonPackages } from '@oriel/dev/python'
import type { GraphName } from '../graphs.ts'

/** The same ONNX Runtime for everybody: it is the servers around it that race. */
export const ONNX_RUNTIME = 'onnxruntime==1.30.0'

/** The most rows in one run, for everybody. */
export const MAX_BATCH = 64

/** Where a rival is to serve. */
export interface Stall {
  readonly graph: GraphName
  /** The widths of its rows, in and out. */
  readonly widths: readonly [x: number, y: number]
  /** `<graph>/1/model.onnx` lies in here, and what the rival needs beside it may be put there. */
  readonly models: string
  /** The folder of its environment; empty when it has none. */
  readonly python: string
  readonly port: number
}

/** How it is started; it must not leave by itself, and leaves at SIGTERM. */
export interface Start {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A program that leaves when its standard input closes. */
  readonly stdin?: 'pipe'
}

/** One row for it, and where to. */
export interface Question {
  readonly path: string
  readonly body: string
}

/** A model server, set up as its own documentation has it: one inference thread, batching on. */
export interface Rival {
  /** What it is made of; absent: it needs nothing from PyPI. */
  readonly packages?: PythonPackages
  /** The page that the set-up follows. */
  readonly docs: string
  /** What goes over the wire; version 2 is the Open Inference Protocol’s JSON. */
  readonly form: string
  start(stall: Stall): Promise<Start>
  ask(graph: GraphName, row: readonly number[]): Question
}

/** A request of the Open Inference Protocol, version 2. */
export const askV2 = (graph: GraphName, row: readonly number[]): Question => ({
  path: `/v2/models/${graph}/infer`,
  body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, row.length], data: row }] }),
})

/** What the rivals that are written in Python are told to serve. */
export const PROGRAMS = join(import.meta.dir, 'python')

export const interpreter = ({ python }: Stall) => join(python, 'bin/python')

export const modelFile = ({ models, graph }: Stall) => join(models, graph, '1/model.onnx')
