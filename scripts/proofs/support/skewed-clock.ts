/**
 * Loaded into the plant before its own code (`node --import`), in its main thread and its workers: while the file that
 * MILLWRIGHT_PROOF_CLOCK_BACK names holds a number, the clock is so many milliseconds behind.
 */
import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'

const control = process.env['MILLWRIGHT_PROOF_CLOCK_BACK'] ?? ''
const lookEveryMs = 200
const { now } = Date
let behindMs = 0

// Looked up now and then: the clock is asked more often than a file can be.
setInterval(() => {
  behindMs = existsSync(control) ? Number(readFileSync(control, 'utf8')) : 0
}, lookEveryMs).unref()

Date.now = () => now() - behindMs
