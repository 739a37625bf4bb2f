import { closeSync, existsSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { NodeDisk, readEngineInfo, seemsRunning, verifyStore } from '@millwright/engine'
import type { Command } from 'commander'
import { loadPackage } from '../models/load-package.ts'
import { readModelFile } from '../models/model-for-replay.ts'
import { projectModelFile } from '../plant/first-model.ts'
import { loadProject } from '../project/load-project.ts'
import { wholeNumber } from '../terminal/arguments.ts'
import { formatBytes, formatCount } from '../terminal/progress.ts'

const examples = `
Examples:
  millwright doctor my-plant
  millwright doctor my-plant --data /var/lib/millwright --json

Changes nothing; may run beside the plant. Exit 1 when something is wrong.`

/** What one check found. */
interface Finding {
  readonly check: string
  readonly state: 'good' | 'warning' | 'bad'
  readonly found: string
  /** What to do; only where it is not good. */
  readonly advice?: string
}

const nodeMajorMin = 22
const diskFreeBytesMin = 1_000_000_000
/** Syncs of a disk that keeps its promises take milliseconds; far less, and something in between lies. */
const syncsTried = 20
const syncSlowMs = 50

/** Adds `millwright doctor`: looks the machine, the project and the data folder over. */
export function addCommand(program: Command): void {
  program
    .command('doctor')
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('Check the machine, the project and the data folder, and say what to do.')
    .option('--data <dir>', 'data folder (default: data, in the project)')
    .option('--port <n>', 'port that the plant will listen on', '8420')
    .option('--json', 'print the findings as JSON on stdout')
    .addHelpText('after', examples)
    .action(doctor)
}

async function doctor(
  projectPath: string,
  flags: { readonly data?: string; readonly port: string; readonly json?: true },
): Promise<void> {
  const port = wholeNumber('--port', flags.port, 0, 65_535)
  const findings: Finding[] = [checkRuntime(), checkClock()]
  const project = await checkProject(projectPath)
  findings.push(...project.findings)
  const dataDirectory = resolve(flags.data ?? join(project.directory, 'data'))
  const running = runningPlant(dataDirectory)
  findings.push(checkDisk(dataDirectory), checkSync(dataDirectory), checkStore(dataDirectory))
  if (running !== null) findings.push({ check: 'plant', state: 'good', found: running })
  else findings.push(await checkPort(port))
  if (flags.json) process.stdout.write(`${JSON.stringify(findings)}\n`)
  else for (const finding of findings) process.stdout.write(`${textOf(finding)}\n`)
  if (findings.some(({ state }) => state === 'bad')) process.exitCode = 1
}

function textOf({ check, state, found, advice }: Finding): string {
  const mark = { good: '✓', warning: '!', bad: '✗' }[state]
  return `${mark} ${check.padEnd(9)} ${found}${advice === undefined ? '' : `\n    → ${advice}`}`
}

function checkRuntime(): Finding {
  const found = `Node ${process.versions.node} on ${process.platform}-${process.arch}`
  return Number(process.versions.node.split('.')[0]) >= nodeMajorMin
    ? { check: 'runtime', state: 'good', found }
    : { check: 'runtime', state: 'bad', found, advice: 'use Node 22.22 or newer (24 comes with the project)' }
}

/** A clock that was never set starts at an epoch of its maker's; readings would all be from the future. */
function checkClock(): Finding {
  const now = new Date()
  const found = now.toISOString()
  return now.getUTCFullYear() >= 2026
    ? { check: 'clock', state: 'good', found }
    : { check: 'clock', state: 'bad', found, advice: 'set the clock (NTP, or by hand): the log stamps records with it' }
}

async function checkProject(path: string): Promise<{ findings: Finding[]; directory: string }> {
  try {
    const { plan, directory } = await loadProject(path)
    const findings: Finding[] = [
      {
        check: 'project',
        state: 'good',
        found: `${plan.name}: ${plan.channels.length} channels, ${plan.features.length} features, ${plan.partitionCount} partitions`,
      },
    ]
    const model = join(directory, projectModelFile)
    if (plan.model === null) findings.push({ check: 'model', state: 'good', found: 'none declared: features only' })
    else if (!existsSync(model))
      findings.push({
        check: 'model',
        state: 'warning',
        found: `${plan.model.name} is declared, and there is no ${projectModelFile} in the project`,
        advice: 'nothing is scored until one is published: millwright models publish',
      })
    else {
      const { name, version } = loadPackage(readModelFile(model), plan)
      findings.push({ check: 'model', state: 'good', found: `${name} ${version} in ${projectModelFile}` })
    }
    return { findings, directory }
  } catch (error) {
    const finding: Finding = {
      check: 'project',
      state: 'bad',
      found: error instanceof Error ? error.message : String(error),
      advice: 'correct what is named above',
    }
    return { findings: [finding], directory: path }
  }
}

/** The folder itself, or the nearest above it that exists. */
function existing(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existing(dirname(path))
}

function checkDisk(dataDirectory: string): Finding {
  const { bavail, bsize } = statfsSync(existing(dataDirectory))
  const free = bavail * bsize
  const found = `${formatBytes(free)} free for ${dataDirectory}`
  return free >= diskFreeBytesMin
    ? { check: 'disk', state: 'good', found }
    : { check: 'disk', state: 'bad', found, advice: 'free some: a plant refuses readings before the disk is full' }
}

/** Measures what an acknowledgement costs here. */
function checkSync(dataDirectory: string): Finding {
  let folder: string | null = null
  try {
    folder = mkdtempSync(join(existing(dataDirectory), '.millwright-doctor-'))
    const file = openSync(join(folder, 'sync'), 'w')
    const times: number[] = []
    for (let i = 0; i < syncsTried; i++) {
      const startedMs = performance.now()
      writeSync(file, Buffer.alloc(4096, i))
      fdatasyncSync(file)
      times.push(performance.now() - startedMs)
    }
    closeSync(file)
    const median = times.sort((a, b) => a - b)[syncsTried >> 1] ?? Number.NaN
    const found = `a write reaches stable storage in ${median.toFixed(2)} ms (median of ${syncsTried})`
    return median <= syncSlowMs
      ? { check: 'sync', state: 'good', found }
      : {
          check: 'sync',
          state: 'warning',
          found,
          advice: 'alerts wait for it: a disk of its own, or an SSD, is faster',
        }
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    return { check: 'sync', state: 'bad', found, advice: 'make the data folder writable for this user' }
  } finally {
    if (folder !== null) rmSync(folder, { recursive: true, force: true })
  }
}

function runningPlant(dataDirectory: string): string | null {
  const info = existsSync(dataDirectory) ? readEngineInfo(new NodeDisk(), dataDirectory) : null
  if (info === null || !seemsRunning(info)) return null
  return `runs as process ${info.pid}${info.httpPort === null ? '' : ` on port ${info.httpPort}`}`
}

function checkStore(dataDirectory: string): Finding {
  if (!existsSync(dataDirectory)) return { check: 'store', state: 'good', found: 'none yet: the first start makes it' }
  try {
    const { problems, recordCount, segmentCount, byteLength } = verifyStore(dataDirectory)
    const [first] = problems
    if (first === undefined)
      return {
        check: 'store',
        state: 'good',
        found: `${formatCount(recordCount)} records in ${segmentCount} segments, ${formatBytes(byteLength)}, every checksum right`,
      }
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
    return {
      check: 'store',
      state: 'bad',
      found: `${first.path} at byte ${first.offsetBytes}: ${first.problem}${more}`,
      advice: first.advice,
    }
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    return {
      check: 'store',
      state: 'bad',
      found,
      advice: 'name the right folder with --data, or use the release that made it',
    }
  }
}

function checkPort(port: number): Promise<Finding> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      done({
        check: 'port',
        state: 'bad',
        found: `${port}: ${error.code ?? error.message}`,
        advice: 'stop what listens there, or start the plant with another --port',
      }),
    )
    server.listen(port, '127.0.0.1', () =>
      server.close(() => done({ check: 'port', state: 'good', found: `${port} is free` })),
    )
  })
}
