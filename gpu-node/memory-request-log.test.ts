import { describe } from 'bun:test'
import { MemoryRequestLog } from './memory-request-log.ts'
import { requestLogSuite } from './request-log-suite.ts'

describe('memory', () => requestLogSuite(async () => new MemoryRequestLog()))
