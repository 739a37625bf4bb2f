import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { platform } from 'node:process'
import { expect, test } from 'vitest'
import { commandLineOf, currentBootId, isRunning, parseStat, signalProcess, usageOf } from './process-identity.ts'

test('parseStat() reads around a program’s name that holds parentheses, spaces and numbers', () => {
  const fields = ['S', ...Array.from({ length: 18 }, (_, index) => String(index)), '4711', '0']
  expect(parseStat(`17 (a) (7 b) ${fields.join(' ')}`)).toEqual({ pid: 17, state: 'S', startTicks: 4711 })
  expect(parseStat('')).toBeNull()
  expect(parseStat('17 (a) S 1')).toBeNull()
})

const onLinux = test.skipIf(platform !== 'linux')

onLinux('a process is known by pid, start and boot together, and signalled only then (P1)', async () => {
  const child = spawn('sleep', ['1000'])
  await once(child, 'spawn')
  const pid = child.pid as number
  const startTicks = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.startTicks as number
  const identity = { pid, startTicks, bootId: currentBootId() }
  expect(isRunning(identity)).toBe(true)
  expect(usageOf(identity)?.residentBytes).toBeGreaterThan(0)

  for (const other of [
    { ...identity, startTicks: startTicks - 1 },
    { ...identity, bootId: 'another' },
  ]) {
    expect(isRunning(other)).toBe(false)
    expect(signalProcess(other, 'SIGKILL')).toBe(false)
    expect(usageOf(other)).toBeNull()
    expect(commandLineOf(other)).toEqual([])
  }
  expect(isRunning(identity)).toBe(true)

  const ended = once(child, 'exit')
  expect(signalProcess(identity, 'SIGTERM')).toBe(true)
  await ended
  expect(isRunning(identity)).toBe(false)
  expect(signalProcess(identity, 'SIGTERM')).toBe(false)
})
