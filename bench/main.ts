/**
 * `npm run bench`: one table per subject, each figure beside its peer's of the same run.
 *
 *     node bench/main.ts [SUBJECT…] [--lines N] [--rounds N] [--json FILE] [--install-peers]
 *
 * Millwright runs from its bundle: `npm run bench` makes it first, `node bench/main.ts` alone measures the sources where they changed since.
 *
 * Subjects: replay, ingest, scoring, memory, start, latency, watching, swap; all of them where none is named. Each runs in a process
 * group of its own, so that one which takes too long is ended with all that it started. What is missing on the machine is
 * said and left out. bench/README.md says what each figure means.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benchScratch, machineText } from './machine.ts'
import { peersFolder } from './peers.ts'
import { markdownOf, type Report } from './report.ts'

interface Settings {
  /** Readings of replay and ingest; `undefined`: what each subject takes by itself. */
  readonly lines: number | undefined
  readonly rounds: number
  readonly installPeers: boolean
}

interface Subject {
  readonly minutesMax: number
  readonly needsPeers: boolean
  /** Loaded only when it runs. */
  run(settings: Settings): AsyncIterable<Report>
}

const million = 1_000_000

const subjects: Readonly<Record<string, Subject>> = {
  replay: {
    minutesMax: 20,
    needsPeers: true,
    async *run({ lines, rounds }) {
      const { benchReplay } = await import('./replay.ts')
      for (const lineCount of lines === undefined ? [million, 5 * million] : [lines])
        yield await benchReplay(lineCount, rounds)
    },
  },
  ingest: {
    minutesMax: 15,
    needsPeers: true,
    async *run({ lines, rounds }) {
      yield await (await import('./ingest.ts')).benchIngest(lines ?? 5 * million, rounds)
    },
  },
  scoring: {
    minutesMax: 20,
    needsPeers: false,
    async *run({ rounds, installPeers }) {
      yield await (await import('./scoring.ts')).benchScoring(rounds, installPeers)
    },
  },
  memory: {
    minutesMax: 15,
    needsPeers: true,
    async *run({ lines }) {
      const { benchGrowth, benchMemory } = await import('./memory.ts')
      yield await benchMemory(3, million)
      yield await benchGrowth(lines ?? 4 * million, million)
    },
  },
  start: {
    minutesMax: 5,
    needsPeers: true,
    async *run() {
      yield await (await import('./start.ts')).benchStart(9)
    },
  },
  latency: {
    minutesMax: 5,
    needsPeers: true,
    async *run() {
      yield await (await import('./latency.ts')).benchLatency(20)
    },
  },
  watching: {
    minutesMax: 20,
    needsPeers: true,
    async *run() {
      yield* await (await import('./watching.ts')).benchWatching(100_000, 60)
    },
  },
  swap: {
    minutesMax: 6,
    needsPeers: false,
    async *run() {
      yield await (await import('./swap.ts')).benchSwap(100)
    },
  },
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    lines: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
    'install-peers': { type: 'boolean', default: false },
    /** How this program starts itself: the one subject named is run here, and its reports are appended to the file. */
    into: { type: 'string' },
  },
})
const settings: Settings = {
  lines: values.lines === undefined ? undefined : positive('--lines', values.lines),
  rounds: positive('--rounds', values.rounds),
  installPeers: values['install-peers'],
}
const unknown = positionals.filter((name) => !(name in subjects))
if (unknown.length > 0)
  wrongUsage(`${unknown.join(', ')}: no such subject; there are ${Object.keys(subjects).join(', ')}`)

if (values.into === undefined) await runAll(positionals.length > 0 ? positionals : Object.keys(subjects))
else await runHere(positionals[0] ?? '', values.into)

/** Runs subjects one after the other, each in a process of its own; exit 1 when one of them failed. */
async function runAll(names: readonly string[]): Promise<void> {
  process.stdout.write(`# Millwright, measured ${new Date().toISOString().slice(0, 10)}\n\n${machineText()}\n`)
  for (const name of names) {
    const subject = subjects[name] as Subject
    if (subject.needsPeers && peersFolder() === null) {
      process.stdout.write(`\n## ${name}\n\nLeft out: the peers' input and model are not there (bench/README.md).\n`)
      continue
    }
    const began = new Date().toISOString()
    const load = machineText()
    for (const report of await runApart(name, subject.minutesMax)) {
      process.stdout.write(`\n${markdownOf(report)}\n`)
      if (values.json !== undefined)
        appendFileSync(values.json, `${JSON.stringify({ began, machine: load, subject: name, ...report })}\n`)
    }
  }
}

async function runApart(name: string, minutesMax: number): Promise<Report[]> {
  const folder = mkdtempSync(join(benchScratch, 'report-'))
  const into = join(folder, 'reports.ndjson')
  const args = [import.meta.filename, name, '--into', into, '--rounds', String(settings.rounds)]
  if (settings.lines !== undefined) args.push('--lines', String(settings.lines))
  if (settings.installPeers) args.push('--install-peers')
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'ignore', 'inherit'] })
  const endGroup = (): void => {
    try {
      process.kill(-(child.pid as number), 'SIGKILL')
    } catch {
      // The whole group has ended already.
    }
  }
  let tooLong = false
  const alarm = setTimeout(() => {
    tooLong = true
    endGroup()
  }, minutesMax * 60_000)
  const onInterrupt = (): void => {
    endGroup()
    process.exit(130)
  }
  process.once('SIGINT', onInterrupt).once('SIGTERM', onInterrupt)
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  clearTimeout(alarm)
  process.off('SIGINT', onInterrupt).off('SIGTERM', onInterrupt)
  // What a failed subject left running.
  endGroup()
  if (code !== 0) {
    process.exitCode = 1
    process.stdout.write(
      `\n## ${name}\n\n${tooLong ? `Ended: not done after ${minutesMax} minutes.` : 'Failed; the reason is on stderr.'}\n`,
    )
  }
  const reports = existsSync(into)
    ? readFileSync(into, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Report)
    : []
  rmSync(folder, { recursive: true, force: true })
  return reports
}

async function runHere(name: string, into: string): Promise<void> {
  const subject = subjects[name]
  if (subject === undefined) wrongUsage('--into wants one subject')
  for await (const report of subject.run(settings)) appendFileSync(into, `${JSON.stringify(report)}\n`)
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) wrongUsage(`${option}: found ${text}, wanted a whole number from 1`)
  return value
}

function wrongUsage(text: string): never {
  process.stderr.write(`${text}\n`)
  process.exit(2)
}
