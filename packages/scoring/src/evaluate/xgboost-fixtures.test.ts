import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadCases } from '../../oracle/cases.ts'
import { expectEqualsXgboost } from '../../oracle/expect-case.ts'

// Golden files: models of three versions of XGBoost, each with what that very version predicted.

const fixtures = join(import.meta.dirname, '../../../../fixtures/scoring')
const folders = readdirSync(fixtures).filter((name) => name.startsWith('xgboost-'))

test('there are fixtures of the oldest and the newest major version', () => {
  expect(folders).toEqual(expect.arrayContaining(['xgboost-1.7.6', 'xgboost-2.1.4', 'xgboost-3.2.0']))
})

describe.each(folders)('compileScorer() equals %s', (name) => {
  const folder = join(fixtures, name)
  const { cases } = loadCases(folder)
  test.each(cases.flatMap((wanted) => wanted.files.map((file) => [file, wanted] as const)))('%s', (file, wanted) => {
    expectEqualsXgboost(folder, file, wanted)
  })
})
