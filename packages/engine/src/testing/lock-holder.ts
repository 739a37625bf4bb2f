import { NodeDisk } from '../node-disk.ts'
import { openTestEngine } from './test-engine.ts'

// A process that holds a data folder until it is killed; says so on its standard output.
const engine = await openTestEngine({ disk: new NodeDisk(), directory: process.argv[2] ?? '', ticks: 'timer' })
await engine.append('sensor-data', [{ partition: 0, lines: Buffer.from('a 1\n'), lineCount: 1 }])
process.stdout.write('open\n')
