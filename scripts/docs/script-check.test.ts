import { expect, test } from 'vitest'
import { missingScripts } from './script-check.ts'

test('a script that is none is found, however npm is called', () => {
  const scripts = new Set(['ok', 'check:docs'])
  const text =
    'npm run ok && npm run -s check:docs\nnpm run check:doc, `npm run --silent mend -- up`; npm test\nnpm ci, npm run X'
  expect(missingScripts(text, scripts)).toEqual([
    { line: 2, script: 'check:doc' },
    { line: 2, script: 'mend' },
    { line: 2, script: 'test' },
  ])
})
