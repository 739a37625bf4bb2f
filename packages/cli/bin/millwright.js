#!/usr/bin/env node
/**
 * Starts the command line: from the bundle where it is as new as the sources, else from the sources themselves.
 *
 * Plain JavaScript, so that an old Node says what it lacks, and so that no thread has to load what strips types.
 * Why there is a bundle, and what it saves: docs/decisions/bundle.md.
 */
import { readFileSync, statSync } from 'node:fs'
import * as nodeModule from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 22)) {
  process.stderr.write(
    `Millwright needs Node 22.22 or later; this is ${process.version}. In a checkout, \`npm start\` and \`npm run millwright -- …\` use the one that \`npm ci\` brought.\n`,
  )
  process.exit(2)
}
nodeModule.enableCompileCache()
await import(bundleIsCurrent() ? '../dist/main.js' : '../src/main.ts')

/** Whether every source that the bundle was made of is still what it was. */
function bundleIsCurrent() {
  if (process.env.MILLWRIGHT_FROM_SOURCES === '1') return false
  try {
    const { sources } = JSON.parse(readFileSync(new URL('../dist/sources.json', import.meta.url), 'utf8'))
    return sources.every(([path, bytes, modifiedMs]) => {
      const { size, mtimeMs } = statSync(new URL(path, import.meta.url))
      return size === bytes && mtimeMs === modifiedMs
    })
  } catch {
    return false
  }
}
