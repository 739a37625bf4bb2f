/** Method: the command as a user runs it, in a process of its own; what it writes is then replayed as the user would. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'

const main = join(import.meta.dirname, '../../bin/millwright.js')
const repository = join(import.meta.dirname, '..', '..', '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'millwright-init-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(command: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}
const millwright = (...args: string[]): Promise<Outcome> => run(process.execPath, [main, ...args])

/** Makes a project from a sample and replays the sample through it; returns what was guessed and what came out. */
async function initAndReplay(name: string, sample: string) {
  const made = await millwright('init', name, '--from', sample, '--json')
  expect(made.stderr).toBe('')
  const { guess } = JSON.parse(made.stdout)
  const replayed = await millwright('replay', name, '--input', sample, '--out', join(name, 'out'), '--json')
  expect(replayed.code, replayed.stderr).toBe(0)
  const features = readFileSync(join(folder, name, 'out', 'device-features.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
  return { guess, result: JSON.parse(replayed.stdout), features: features.map((line) => JSON.parse(line)) }
}

describe('millwright init --from', () => {
  test('makes a project of a German CSV file that runs at once, and says what it guessed', async () => {
    const rows = Array.from({ length: 900 }, (_, i) => {
      const time = new Date(Date.UTC(2024, 6, 1, 6) + Math.floor(i / 3) * 60_000)
      const [date = '', clock = ''] = time.toISOString().split('T')
      const temperature = (40 + 10 * Math.sin(i / 50)).toFixed(2).replace('.', ',')
      const cells = [
        `${date.split('-').reverse().join('.')} ${clock.slice(0, 5)}`,
        `Presse ${i % 3}`,
        temperature,
        Math.floor(i / 3),
        i % 200 < 100 ? 0 : 1,
      ]
      return [...cells, i % 90 === 0 ? '' : '1.000,5', 'ok'].join(';')
    })
    const sample = join(folder, 'messwerte.csv.gz')
    const header = 'Zeit;Maschine;Öl-Temp. [°C];Zyklen gesamt;Modus;Druck;Bemerkung'
    writeFileSync(sample, gzipSync(`\ufeff${header}\r\n${rows.join('\r\n')}\r\n`))
    const { guess, result, features } = await initAndReplay('werk-1', sample)
    expect(guess.csv).toEqual({
      delimiter: ';',
      decimal: ',',
      deviceId: { column: 'Maschine' },
      timestamp: { column: 'Zeit', format: 'dd.MM.yyyy HH:mm', timeZone: 'UTC' },
      channels: { oelTemp: 'Öl-Temp. [°C]', zyklenGesamt: 'Zyklen gesamt', Modus: 'Modus' },
    })
    expect(guess.channels).toMatchObject([
      { name: 'oelTemp', unit: '°C', unitFrom: 'file', kind: 'gauge', min: 20, max: 60 },
      { name: 'zyklenGesamt', kind: 'counter', min: 0, max: null },
      { name: 'Modus', kind: 'state', unit: '1' },
    ])
    expect(guess.window).toBe('15 min')
    expect(guess.remarks.join('\n')).toMatch(/taken for UTC.*"Druck" is left out.*"Bemerkung" is left out/s)
    expect(result).toMatchObject({ readingsIn: 900, readingsAccepted: 900, deadLetters: {} })
    expect(features[0]).toMatchObject({ deviceId: 'Presse 0', readingCount: 15 })
    expect(Object.keys(features[0].features)).toEqual(guess.features.map(({ name }: { name: string }) => name))
  })

  test('takes day-long intervals, several delimiters in cells, and a file of one device', async () => {
    const rows = Array.from(
      { length: 40 },
      (_, i) => `"${new Date(Date.UTC(2024, 0, 1 + i)).toISOString()}","1;${i}|x",${i * 1.5}`,
    )
    const sample = join(folder, 'tank 7.csv')
    writeFileSync(sample, `"time","note","level"\n${rows.join('\n')}\n`)
    const { guess, result, features } = await initAndReplay('tank', sample)
    expect(guess).toMatchObject({ window: '14 d', maxJump: '4 d', csv: { deviceId: { value: 'tank-7' } } })
    expect(result).toMatchObject({ readingsAccepted: 40, deadLetters: {} })
    expect(features.every(({ deviceId }) => deviceId === 'tank-7')).toBe(true)
  })

  test('makes a project of lines whose broken ones it counts', async () => {
    const lines = Array.from({ length: 100 }, (_, i) =>
      JSON.stringify({ deviceId: 'a', timestamp: 1_700_000_000_000 + i * 1000, temp: i, 'bad name': 1, tag: 'x' }),
    )
    const sample = join(folder, 'sample.ndjson')
    writeFileSync(sample, ['oops', ...lines].join('\n'))
    const { guess, result } = await initAndReplay('lines', sample)
    expect(guess.channels).toMatchObject([{ name: 'temp', unit: '°C', unitFrom: 'name' }])
    expect(guess.remarks.join('\n')).toMatch(
      /"bad name" is left out.*"tag" is left out.*1 lines are no readings.*not-json/s,
    )
    expect(result).toMatchObject({ readingsAccepted: 100, deadLetters: { 'not-json': 1 } })
  })

  test('prints for a person what it guessed and what to run next', async () => {
    const { code, stdout } = await millwright('init', 'for a person', '--from', join(folder, 'tank 7.csv'))
    expect(code).toBe(0)
    expect(stdout).toContain('40 readings of one device')
    expect(stdout).toContain('level: 0 … 90; %, a guess from the name')
    expect(stdout).toMatch(/millwright replay 'for a person' --input '.*tank 7.csv' --out 'for a person\/out'/)
  })

  test('writes a configuration that the editor understands', async () => {
    const tsc = join(repository, 'node_modules', '.bin', 'tsc')
    for (const project of ['werk-1', 'tank', 'lines']) {
      const { code, stdout } = await run(tsc, ['-p', join(folder, project, 'tsconfig.json')])
      expect(stdout).toBe('')
      expect(code).toBe(0)
    }
  })

  test.each([
    ['empty.csv', '', 'nothing in it'],
    ['no-header.csv', '1,2\n3,4\n', 'which names no columns'],
    ['no-rows.csv', 'time,value\n', 'no row below the first'],
    ['no-time.csv', 'a,b\n1,2\n', 'date and time together'],
    ['no-numbers.csv', 'time,note\n2024-01-01,x\n', 'at least one column of numbers'],
    ['no-device.ndjson', '{"timestamp":1700000000000,"t":1}\n', 'not deviceId'],
    ['no-json.ndjson', 'time value\n', 'no JSON object'],
    ['no-time.ndjson', '{"deviceId":"a","timestamp":"today","t":1}\n', 'timestamp-not-a-time (1)'],
  ])('refuses the sample %s and writes nothing', async (name, content, found) => {
    const sample = join(folder, name)
    writeFileSync(sample, content)
    const { code, stderr } = await millwright('init', 'refused', '--from', sample)
    expect([code, stderr]).toEqual([2, expect.stringContaining(found)])
    expect(existsSync(join(folder, 'refused'))).toBe(false)
  })

  const data = join(repository, '..', 'shared', 'data')
  const samples = [
    ['nab-machine-temperature/readings.csv.gz', { window: '1 h', channels: [{ name: 'value' }] }, 22_695],
    [
      'azure-pdm/telemetry.ndjson.gz',
      {
        window: '12 h',
        channels: [{ name: 'vibration' }, { name: 'pressure' }, { name: 'voltage' }, { name: 'rotation' }],
      },
      43_200,
    ],
    ['hydraulic/readings.ndjson.gz', { window: '5 min' }, 87_840],
  ] as const
  if (!existsSync(data)) process.stderr.write(`init.test.ts: samples of real machines are skipped: no folder ${data}\n`)
  test.skipIf(!existsSync(data)).each(samples)(
    'makes a project that runs of real readings: %s',
    async (file, guessed, readings) => {
      const { guess, result, features } = await initAndReplay(file.split('/')[0] ?? '', join(data, file))
      expect(guess).toMatchObject(guessed)
      expect(result).toMatchObject({ readingsIn: readings, deadLetters: {} })
      expect(features.length).toBeGreaterThan(100)
    },
  )
})

describe('millwright init', () => {
  test('writes a template that loads, and refuses to write over it', async () => {
    const first = await millwright('init', 'fresh')
    expect([first.code, first.stderr]).toEqual([0, ''])
    expect(readdirSync(join(folder, 'fresh')).sort()).toEqual([
      '.gitignore',
      'README.md',
      'millwright.config.ts',
      'package.json',
      'tsconfig.json',
    ])
    writeFileSync(join(folder, 'fresh', 'millwright.config.ts'), 'mine')
    const again = await millwright('init', 'fresh')
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('--force')])
    expect(readFileSync(join(folder, 'fresh', 'millwright.config.ts'), 'utf8')).toBe('mine')
  })

  test('with --force writes over its own files and leaves others alone', async () => {
    mkdirSync(join(folder, 'used'))
    writeFileSync(join(folder, 'used', 'notes.txt'), 'mine')
    writeFileSync(join(folder, 'used', 'README.md'), 'old')
    expect((await millwright('init', 'used', '--force')).code).toBe(0)
    expect(readFileSync(join(folder, 'used', 'notes.txt'), 'utf8')).toBe('mine')
    expect(readFileSync(join(folder, 'used', 'README.md'), 'utf8')).toContain('# used')
  })

  test('makes a plant name of any folder name, and refuses a file', async () => {
    for (const [directory, name] of [
      ['Wärk 2', 'waerk-2'],
      ['7', 'plant-7'],
      ['---', 'plant'],
      ['x'.repeat(100), 'x'.repeat(60)],
    ] as const) {
      const { code, stdout } = await millwright('init', `./${directory}`, '--json')
      expect([code, JSON.parse(stdout).name]).toEqual([0, name])
    }
    writeFileSync(join(folder, 'a-file'), '')
    const { code, stderr } = await millwright('init', 'a-file', '--force')
    expect([code, stderr]).toEqual([2, expect.stringContaining('which is a file')])
  })
})
