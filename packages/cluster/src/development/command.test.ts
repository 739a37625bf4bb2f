import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { main } from './command.ts'

/** Runs the command in an empty cache, so that nothing of this machine's clusters is touched. */
async function run(...args: string[]): Promise<{ exitCode: number; out: string; error: string; names: string[] }> {
  const cache = mkdtempSync(join(tmpdir(), 'millwright-command-'))
  let out = ''
  let error = ''
  vi.stubEnv('MILLWRIGHT_CACHE', cache)
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    error += String(text)
    return true
  })
  onTestFinished(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
    rmSync(cache, { recursive: true, force: true })
  })
  const exitCode = await main(args)
  vi.restoreAllMocks()
  const clusters = join(cache, 'clusters')
  const names = existsSync(clusters) ? readdirSync(clusters).filter((name) => !name.endsWith('.lock')) : []
  return { exitCode, out, error, names }
}

test.each([
  [['sideways'], 'Usage'],
  [[], 'Usage'],
  [['up', 'down'], 'Usage'],
  [['status', '--colour'], '--colour'],
  [['status', '--name', '../x'], 'name: found "../x"'],
  [['up', '--flink', 'novalue'], '--flink: found novalue'],
])('wrong usage %j ends with 2 and says what is wanted', async (args, words) => {
  const { exitCode, error } = await run(...args)
  expect(exitCode).toBe(2)
  expect(error).toContain(words)
})

test('status of a cluster that is not there ends with 1; down of it is done already', async () => {
  expect(await run('status')).toMatchObject({ exitCode: 1, out: 'There is no cluster "development"\n' })
  expect(await run('status', '--json')).toMatchObject({ exitCode: 1, out: 'null\n' })
  const down = await run('down', '--json', '--name', 'other')
  expect(down.exitCode).toBe(0)
  expect(JSON.parse(down.out)).toEqual({ name: 'other', stopped: [] })
})

test('up where there is no JDK ends with 1, says what to install, and starts nothing', async () => {
  vi.stubEnv('JAVA_HOME', '/no/such/jdk')
  const { exitCode, error, names } = await run('up', '--no-high-availability')
  expect(exitCode).toBe(1)
  expect(error).toMatch(/Install a JDK 17|runs on Linux/)
  expect(names).toEqual([])
})
