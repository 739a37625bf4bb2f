import { platform } from 'node:process'
import { expect, test } from 'vitest'
import { ToolMissingError } from './errors.ts'
import { findToolchain, javaRelease } from './toolchain.ts'

test('javaRelease() reads the feature release in both ways of writing it', () => {
  expect(javaRelease('openjdk version "17.0.15" 2025-04-15\n')).toBe(17)
  expect(javaRelease('openjdk version "25" 2025-09-16')).toBe(25)
  expect(javaRelease('java version "1.8.0_401"')).toBe(8)
  expect(javaRelease('command not found')).toBeNull()
})

test.skipIf(platform !== 'linux')('findToolchain() says what to install where JAVA_HOME has no Java', () => {
  expect(() => findToolchain({ JAVA_HOME: '/no/such/jdk' })).toThrow(ToolMissingError)
  expect(() => findToolchain({ JAVA_HOME: '/no/such/jdk' })).toThrow(/Install a JDK 17/)
})
