import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platform } from 'node:process'
import { afterEach, expect, test } from 'vitest'
import { type ClusterFolder, clusterFolder } from './cluster-folder.ts'
import { ClusterStartError } from './errors.ts'
import {
  killProcess,
  lastLines,
  recordedProcess,
  runningProcess,
  startProcess,
  stopProcess,
} from './managed-process.ts'
import { commandLineOf } from './process-identity.ts'

// Method: programs of a line each have the roles; nothing of Java is needed.

const folders: ClusterFolder[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) {
    await killProcess(folder, 'broker-1')
    rmSync(folder.root, { recursive: true, force: true })
  }
})

function newFolder(): ClusterFolder {
  const folder = clusterFolder(mkdtempSync(join(tmpdir(), 'millwright-process-')), 'test')
  folders.push(folder)
  return folder
}

function node(script: string): {
  role: 'broker-1'
  program: string
  args: string[]
  environment: Record<string, string>
} {
  return { role: 'broker-1', program: process.execPath, args: ['-e', script], environment: { GIVEN: 'yes' } }
}

const onLinux = test.skipIf(platform !== 'linux')

onLinux('startProcess() records the process that its program then is (M1)', async () => {
  const folder = newFolder()
  const identity = await startProcess(
    folder,
    node('console.log(process.pid, process.env.GIVEN); setInterval(() => {}, 1e6)'),
  )
  expect(runningProcess(folder, 'broker-1')).toEqual(identity)
  await expect.poll(() => readFileSync(folder.output('broker-1'), 'utf8')).toBe(`${identity.pid} yes\n`)
  expect(commandLineOf(identity)[0]).toBe(process.execPath)
  expect(await killProcess(folder, 'broker-1')).toBe(true)
  expect(runningProcess(folder, 'broker-1')).toBeNull()
  expect(recordedProcess(folder, 'broker-1')).toEqual(identity)
  expect(await killProcess(folder, 'broker-1')).toBe(false)
})

onLinux('stopProcess() kills what does not end by itself', async () => {
  const folder = newFolder()
  await startProcess(folder, node("process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1e6)"))
  await expect.poll(() => readFileSync(folder.output('broker-1'), 'utf8')).toBe('deaf\n')
  expect(await stopProcess(folder, 'broker-1', { graceMs: 100 })).toBe('was killed')
  expect(await stopProcess(folder, 'broker-1', { graceMs: 100 })).toBe('was not running')
})

onLinux('a record of somebody else’s process is nobody’s: it is neither found nor killed (P1)', async () => {
  const folder = newFolder()
  const identity = await startProcess(folder, node('setInterval(() => {}, 1e6)'))
  const record = readFileSync(folder.record('broker-1'), 'utf8')
  const [bootId, stat] = record.split('\n')
  const fields = (stat ?? '').split(' ')
  // As if the recorded process had ended and its pid had been given to this one, which started later.
  fields[21] = String(Number(fields[21]) - 500)
  writeFileSync(folder.record('broker-1'), `${bootId}\n${fields.join(' ')}\n`)
  expect(runningProcess(folder, 'broker-1')).toBeNull()
  expect(await killProcess(folder, 'broker-1')).toBe(false)
  writeFileSync(folder.record('broker-1'), record)
  expect(runningProcess(folder, 'broker-1')).toEqual(identity)
})

onLinux('a program that is not there leaves its words in the output', async () => {
  const folder = newFolder()
  // The shell is recorded first, and then finds nothing to become.
  await startProcess(folder, { ...node(''), program: '/no/such/program' }).catch((error: unknown) => {
    expect(error).toBeInstanceOf(ClusterStartError)
  })
  await expect.poll(() => runningProcess(folder, 'broker-1')).toBeNull()
  expect(lastLines(folder, 'broker-1')).toContain('/no/such/program')
})
