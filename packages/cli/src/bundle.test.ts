import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const launcher = join(root, 'packages/cli/bin/millwright.js')

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-bundle-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function run(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): string {
  return execFileSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  })
}

describe('the launcher', () => {
  /** A copy of the launcher whose two command lines only say which one they are. */
  function installation(): { readonly program: string; readonly source: string } {
    for (const name of ['bin', 'dist', 'src']) mkdirSync(join(folder, name))
    const program = join(folder, 'bin/millwright.js')
    cpSync(launcher, program)
    const source = join(folder, 'src/main.ts')
    writeFileSync(source, "process.stdout.write('sources')")
    writeFileSync(join(folder, 'dist/main.js'), "process.stdout.write('bundle')")
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const { size, mtimeMs } = statSync(source)
    writeFileSync(join(folder, 'dist/sources.json'), JSON.stringify({ sources: [['../src/main.ts', size, mtimeMs]] }))
    return { program, source }
  }

  test('takes the bundle while its sources are as they were', () => {
    expect(run(installation().program, [], { MILLWRIGHT_FROM_SOURCES: '' })).toBe('bundle')
  })

  test('takes the sources once one of them has changed, or is asked to', () => {
    const { program, source } = installation()
    expect(run(program, [], { MILLWRIGHT_FROM_SOURCES: '1' })).toBe('sources')
    utimesSync(source, new Date(), new Date(1))
    expect(run(program, [], { MILLWRIGHT_FROM_SOURCES: '' })).toBe('sources')
  })

  test('takes the sources where there is no bundle', () => {
    const { program } = installation()
    rmSync(join(folder, 'dist'), { recursive: true })
    expect(run(program, [], { MILLWRIGHT_FROM_SOURCES: '' })).toBe('sources')
  })
})

test('the bundle and the sources replay to the same bytes', () => {
  run(join(root, 'scripts/build.ts'), [])
  const input = join(root, 'examples/predictive-maintenance/input/readings.ndjson.gz')
  const outputs = ['', '1'].map((fromSources) => {
    const out = join(folder, `out${fromSources}`)
    run(launcher, ['replay', join(root, 'examples/predictive-maintenance'), '--input', input, '--out', out], {
      MILLWRIGHT_FROM_SOURCES: fromSources,
    })
    return ['alert-signals', 'device-features'].map((topic) => readFileSync(join(out, `${topic}.ndjson`), 'utf8'))
  })
  expect(outputs[0]?.[0]?.length).toBeGreaterThan(1000)
  expect(outputs[0]).toEqual(outputs[1])
})
