/** Method: files on the disk; every byte of one changed in turn. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ChannelFile, type ChannelState } from './channel-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'millwright-channel-'))
afterAll(() => rmSync(folder, { recursive: true }))

const state: ChannelState = {
  positions: [17, 0],
  planned: ['press-07@1#0'],
  parked: [{ id: 'Süd\n@2#1', partition: 1, offset: 4, refusedAt: 5, reason: 'answered 400' }],
  port: [['press-07@1', { labels: { device: 'press-07' } }]],
}

test('a channel file gives back what was written, and null before that', async () => {
  const file = new ChannelFile(join(folder, 'new', 'hook.state'))
  expect(await file.read()).toBeNull()
  await file.write(state)
  expect(await file.read()).toEqual(state)
  // Two at once do not meet in the temporary file.
  await Promise.all([file.write({ ...state, positions: [18] }), file.write({ ...state, positions: [19] })])
  expect((await file.read())?.positions).toEqual([19])
})

test('a channel file that is damaged in any byte, or cut, is refused (F1)', async () => {
  const path = join(folder, 'damaged.state')
  const file = new ChannelFile(path)
  await file.write(state)
  const whole = readFileSync(path)
  for (let at = 0; at < whole.length - 1; at++) {
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(path, bytes)
    await expect(file.read(), `byte ${at}`).rejects.toMatchObject({ code: 'CHANNEL_FILE_DAMAGED' })
  }
  writeFileSync(path, whole.subarray(0, whole.length >> 1))
  await expect(file.read()).rejects.toMatchObject({ code: 'CHANNEL_FILE_DAMAGED' })
})

test('a write that fails leaves what was there', async () => {
  const path = join(folder, 'kept.state')
  const file = new ChannelFile(path)
  await file.write(state)
  const circular: unknown[] = []
  circular.push(circular)
  await expect(file.write({ ...state, port: circular })).rejects.toThrow()
  expect(await file.read()).toEqual(state)
})

test('a channel file has the bytes that it had, and one that was written earlier is read (docs/formats/deliveries.md)', async () => {
  const earlier = join(import.meta.dirname, '../../../../fixtures/deliveries/shift.state')
  const path = join(folder, 'shift.state')
  await new ChannelFile(path).write(state)
  expect(readFileSync(path, 'utf8')).toBe(readFileSync(earlier, 'utf8'))
  expect(await new ChannelFile(earlier).read()).toEqual(state)
})
