import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plan } from '@millwright/core'
import { describe, expect, test } from 'vitest'
import { testCrypto, testSigner } from '../../oracle/node-crypto.ts'
import { checkModelPackage } from './check-package.ts'
import { openModelPackage } from './open-package.ts'

// The packages of every release, unchanged since: what this release does not open was taken away from somebody.

const folder = join(import.meta.dirname, '../../../../fixtures/scoring/packages')
const names = readdirSync(folder).filter((name) => name.endsWith('.mwmodel'))
const key = Buffer.from(testSigner(1).publicKey).toString('base64')

describe.each(names)('%s', (name) => {
  const bytes = readFileSync(join(folder, name))

  test('is what was released', () => {
    const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8')
    expect(sums).toContain(`${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`)
  })

  test('opens, matches the plan it was made for, and answers its golden rows', () => {
    const opened = openModelPackage(bytes, testCrypto)
    expect(opened.manifest.goldenRows.length).toBe(12)
    expect(opened.manifest.baseline.features.map(({ counts }) => counts.length)).toEqual([10, 10, 10, 10, 10])
    const plan = {
      name: 'plant',
      model: { name: 'fixture', trustedKeys: opened.signature === null ? [] : [key] },
      features: opened.manifest.features,
      alert: { threshold: null },
    } as unknown as Plan
    const loaded = checkModelPackage(opened, plan, testCrypto)
    expect(loaded).toMatchObject({ name: 'fixture', version: '1', threshold: 0.8 })
    expect(loaded.featureNames).toEqual(['temperature', 'vibration', 'pressure', 'flow', 'hours'])
  })
})

test('there is a signed and an unsigned package of this release', () => {
  expect(names).toEqual(expect.arrayContaining(['release-0.1.0-signed.mwmodel', 'release-0.1.0-unsigned.mwmodel']))
})
