import { beforeAll, describe, expect, test } from 'vitest'
import { type CommandCheck, makeCommandCheck } from './command-check.ts'

let check: CommandCheck
beforeAll(async () => {
  check = await makeCommandCheck()
})

const whole = (text: string): Promise<string[]> => check({ line: 1, text, kind: 'whole' })
const mention = (text: string): Promise<string[]> => check({ line: 1, text, kind: 'mention' })
const prose = (text: string): Promise<string[]> => check({ line: 1, text, kind: 'prose' })

describe('a line that a reader runs', () => {
  test.each([
    'millwright scale 6 my-plant --flink http://127.0.0.1:8081',
    'npx millwright init my-plant --from readings.csv && cd my-plant',
    'for part in a b; do npx millwright replay . --input $part --out out; done',
    'npm run millwright -- run my-plant --port 9000   # --nothing of this',
    '/opt/node /opt/millwright/packages/cli/bin/millwright.js run /etc/plant --data /var/lib/plant',
    'millwright events send maintenance-begin my-plant --device press-07 press-08',
    'millwright topics export sensor-data > readings.ndjson',
    'millwright status my-plant --json | jq --raw-output .restarts',
    'millwright run my-plant --kafka …',
    'journalctl --unit millwright --follow',
  ])('is taken: %s', async (line) => expect(await whole(line)).toEqual([]))

  test.each([
    ['millwright scale --parallelism 6 my-plant', "unknown option '--parallelism'"],
    ['npx millwright depoy my-plant', "unknown command 'depoy'"],
    ['millwright topics print alert-signals', "unknown command 'print'"],
    // A flag of another command of the same group.
    ['millwright deliveries retry all --limit 3', "unknown option '--limit'"],
    ['millwright scale', "missing required argument 'n'"],
    ['millwright cases resolve press-07', "required option '--verdict <verdict>' not specified"],
    ['millwright report my-plant another-plant', 'too many arguments'],
    ['true && npm run millwright -- report --deep', "unknown option '--deep'"],
    ['millwright topics tail alert-signals \\\n  --folow', "unknown option '--folow'"],
    ['millwright topics export sensor-data --kafka … --topic x', "unknown option '--topic'"],
  ])('is refused: %s', async (line, refusal) => {
    expect(await whole(line)).toEqual([expect.stringContaining(refusal)])
  })
})

describe('a mention', () => {
  test.each([
    'millwright scale',
    'millwright topics tail',
    'millwright topics list|tail|export --data DIR',
    'millwright models',
    'millwright cases --gateway',
    'millwright report --device',
    'models publish',
    'scale N',
    'deploy',
    'something --else',
  ])('may leave things out: %s', async (text) => expect(await mention(text)).toEqual([]))

  test.each([
    'millwright scale --parallelism N',
    'millwright topics list|trail --data DIR',
    'millwright cases --deep',
    'models release',
    'report --channel ID',
  ])('names nothing that is not there: %s', async (text) => expect(await mention(text)).toHaveLength(1))
})

describe('prose', () => {
  test.each([
    'millwright deploy starts it',
    'millwright cancel --job NAME ends it',
    'millwright does not know it',
  ])('runs on into its sentence: %s', async (text) => expect(await prose(text)).toEqual([]))

  test('names no flag that is not there', async () => {
    expect(await prose('millwright models publish … --now puts it in force')).toEqual([
      "`millwright models publish --now`: unknown option '--now'",
    ])
  })
})

test('the program is as it was after a call: nothing of one is left for the next', async () => {
  expect(await whole('millwright models pack . --nothing')).toHaveLength(1)
  expect(await whole('millwright cases resolve press-07 --verdict unclear')).toEqual([])
  expect(await whole('millwright cases resolve press-07')).toHaveLength(1)
})
