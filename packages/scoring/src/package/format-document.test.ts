import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '@millwright/core'
import { expect, test } from 'vitest'
import {
  packageDigestBytes,
  packageHeadBytes,
  packageMagic,
  packageVersion,
  publicKeyBytes,
  signatureBytes,
} from './container.ts'
import { modelPackageReasons } from './package-error.ts'

const page = readFileSync(join(import.meta.dirname, '../../../../docs/formats/model-package.md'), 'utf8')

test('docs/formats/model-package.md explains every reason for which a package or a model is refused', () => {
  for (const reason of modelPackageReasons) expect(page).toMatch(new RegExp(`^\\| \`${reason}\` \\|`, 'm'))
  const source = readFileSync(join(import.meta.dirname, '../model-file/model-file-error.ts'), 'utf8')
  const reasons = [...source.matchAll(/^ {2}\| '([a-z0-9-]+)'$/gm)].map((match) => match[1] as string)
  expect(reasons.length).toBeGreaterThan(30)
  for (const reason of reasons) expect(page).toContain(`\`${reason}\``)
})

test('docs/formats/model-package.md draws the bytes that the code writes', () => {
  expect(new TextDecoder().decode(packageMagic)).toBe('MWMODEL1')
  expect(page).toContain(`u32 format version: ${packageVersion}`)
  expect(page).toContain(`| ${packageHeadBytes} | M |`)
  expect(page).toContain(`| ${packageHeadBytes} + M + N | ${packageDigestBytes} |`)
  const keyAt = packageHeadBytes + packageDigestBytes
  expect(page).toContain(`| ${keyAt} + M + N | ${publicKeyBytes} |`)
  expect(page).toContain(`| ${keyAt + publicKeyBytes} + M + N | ${signatureBytes} |`)
})

test('docs/formats/model-package.md states the limits that the code has', () => {
  const names = [
    'modelPackageBytesMax',
    'manifestBytesMax',
    'modelNameBytesMax',
    'goldenRowsMax',
    'histogramBinsMax',
    'modelFeaturesMax',
    'featuresMax',
    'treesMax',
    'treeNodesMax',
    'treeDepthMax',
    'outputGroupsMax',
    'categoryWordsMax',
    'modelFileDepthMax',
    'modelStringBytesMax',
  ] as const
  for (const name of names) {
    // The nearest number before the name is its value.
    const before = page.slice(0, page.indexOf(`\`${name}\``))
    const stated = [...before.matchAll(/\d[\d,]*/g)].at(-1)?.[0].replaceAll(',', '')
    expect(`${name} ${stated}`).toBe(`${name} ${limits[name]}`)
  }
})
