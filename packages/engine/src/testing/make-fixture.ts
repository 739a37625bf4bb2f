import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeDisk } from '../node-disk.ts'
import { testPackage } from './sum-operator.ts'
import { hashesBelow } from './temporary-folder.ts'
import { ManualClock, openTestEngine, part } from './test-engine.ts'

/**
 * Writes the fixture of a release: `node make-fixture.ts RELEASE`, once, when it is released. It holds a store that was
 * closed and one whose process was killed, each with something of everything. A fixture that is there is never written
 * again: that what it holds can be opened for good is what it is for.
 */
const release = process.argv[2] ?? ''
const fixtures = join(import.meta.dirname, '../../../../fixtures/engine')
const target = join(fixtures, release)
if (!/^\d+\.\d+\.\d+$/.test(release)) throw new Error('name the release, for example 0.1.0')
if (existsSync(target)) throw new Error(`${target} is there: a fixture is never changed`)

const clock = new ManualClock()
const root = mkdtempSync(join(tmpdir(), 'millwright-fixture-'))
const directory = join(root, 'data')
const open = () =>
  openTestEngine({ disk: new NodeDisk(), directory, clock, segmentBytesMax: 1500, silentAfterMs: 30_000 })

function keep(name: string): void {
  mkdirSync(target, { recursive: true })
  // Who wrote it is of no interest, and differs each time.
  cpSync(directory, join(target, name), { recursive: true, filter: (path) => !path.endsWith('engine.json') })
}

async function feed(engine: Awaited<ReturnType<typeof open>>, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    const parts = [part(0, `a ${n}`, `b ${n}`), part(1, `c ${n}`, n % 4 === 0 ? 'bad' : `d ${n}`)]
    const linePositions = Float64Array.of(10 * n + 5, 10 * n + 10)
    await engine.append(
      'sensor-data',
      parts.map((p) => ({ ...p, linePositions })),
      { id: 'file', position: 10 * n + 10 },
    )
    clock.advance(1000)
  }
  await engine.drained()
}

let engine = await open()
await engine.publish(testPackage('1'))
await feed(engine, 0, 12)
await engine.append('device-events', [part(0, 'a reset'), part(1, 'nonsense')])
await engine.snapshot()
await feed(engine, 12, 15)
await engine.publish(testPackage('2'))
clock.advance(40_000)
engine.tick()
await engine.drained()
await engine.close()
keep('closed')
engine = await open()
await feed(engine, 15, 20)
await engine.snapshot()
await feed(engine, 20, 26)
keep('killed')
await engine.close()
rmSync(root, { recursive: true })
writeFileSync(join(fixtures, `${release}.json`), `${JSON.stringify(hashesBelow(target), null, 2)}\n`)
