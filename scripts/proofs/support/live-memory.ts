import { once } from 'node:events'
import type { PlantProcess } from '../../../bench/plant-process.ts'

/** Begins the line that says what is alive, bytes. */
export const liveMemoryMark = 'live memory: '

/** What starts a plant that can say what of its memory is alive, as the `wrapper` of its command. */
export function liveMemoryWrapper(): readonly string[] {
  const preload = new URL('./live-memory-preload.ts', import.meta.url).href
  return ['env', `NODE_OPTIONS=--expose-gc --import=${preload}`]
}

/** Bytes that are alive in all threads of a plant, after their garbage was collected: objects, buffers, WebAssembly memories. */
export async function liveMemoryBytes({ process: plant }: PlantProcess): Promise<number> {
  const { stderr } = plant
  if (stderr === null) throw new Error('nothing reads what the plant says')
  let said = ''
  plant.kill('SIGUSR2')
  for (;;) {
    const [bytes] = (await once(stderr, 'data')) as [Buffer]
    said += bytes.toString('latin1')
    const match = new RegExp(`${liveMemoryMark}(\\d+)\n`).exec(said)
    if (match !== null) return Number(match[1])
  }
}
