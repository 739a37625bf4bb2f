import { platform } from 'node:process'
import { expect, test } from 'vitest'
import { chooseFreePorts, isPortFree } from './ports.ts'

test.skipIf(platform !== 'linux')('chooseFreePorts() passes over what is promised and what is taken (C2)', async () => {
  // Method: the same "random" numbers again, so that the second choice would be the first one if nothing kept it from that.
  const numbers = (): (() => number) => {
    let next = 0
    return () => ((next++ * 7) % 100) / 100
  }
  const first = await chooseFreePorts(5, new Set(), numbers())
  const second = await chooseFreePorts(5, new Set(first), numbers())
  expect(new Set([...first, ...second]).size).toBe(10)
  expect(await isPortFree(first[0] as number)).toBe(true)
})

test.skipIf(platform !== 'linux')('chooseFreePorts() gives up when there is nothing left to choose', async () => {
  const [only] = await chooseFreePorts(1, new Set(), () => 0.5)
  await expect(chooseFreePorts(1, new Set([only as number]), () => 0.5)).rejects.toThrow(/No 1 free ports/)
})
