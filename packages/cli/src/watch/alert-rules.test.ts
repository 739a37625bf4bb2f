/** Method: the shipped rules are read as text; promtool runs their unit tests in the proof "watching-system". */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../../..')
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8')
const rules = read('deploy/prometheus/rules/alerts.yml')
const alerts = rules
  .split(/^ {6}- alert: /m)
  .slice(1)
  .map((text) => ({ name: text.slice(0, text.indexOf('\n')), text }))

test('each alert says how grave it is, what it is about, and where its page is', () => {
  expect(alerts.length).toBeGreaterThan(30)
  for (const { name, text } of alerts) {
    expect([name, /^ {10}severity: (critical|warning|info)$/m.test(text)]).toEqual([name, true])
    for (const annotation of ['summary', 'description'])
      expect([name, new RegExp(`^ {10}${annotation}: '.{10,}'$`, 'm').test(text)]).toEqual([name, true])
    expect(text).toContain(`          runbook: docs/guide/runbooks/${name}.md\n`)
  }
})

test('each alert has its page and its unit test, and there are none of other alerts', () => {
  const names = alerts.map(({ name }) => name).sort()
  expect(new Set(names).size).toBe(names.length)
  const pages = readdirSync(join(root, 'docs/guide/runbooks')).filter((file) => file !== 'README.md')
  expect(pages.sort()).toEqual(names.map((name) => `${name}.md`))
  for (const name of names) {
    const page = read('docs/guide/runbooks', `${name}.md`)
    expect(page).toMatch(new RegExp(`^# ${name}\\n\\nSeverity: (critical|warning|info)\\. `))
    for (const part of ['## How to see\n\n- ', '## What to do\n\n- ']) expect(page).toContain(part)
    expect(read('docs/guide/runbooks/README.md')).toContain(`[${name}](${name}.md)`)
  }
  const tested = [...read('deploy/prometheus/rules.test.yml').matchAll(/^ {2}- name: (\w+)$/gm)].map(([, name]) => name)
  expect(tested.toSorted()).toEqual(names)
})

test('rules ask for metrics that exist: every name of ours is on docs/guide/metrics.md', () => {
  const documented = new Set([...read('docs/guide/metrics.md').matchAll(/`(millwright_\w+)`/g)].map(([, name]) => name))
  const asked = [...`${rules}${read('deploy/prometheus/rules/recording.yml')}`.matchAll(/(?<![:\w])millwright_\w+/g)]
  expect(asked.length).toBeGreaterThan(30)
  const unknown = asked
    .map(([name]) => name.replace(/_(bucket|sum|count)$/, ''))
    .filter((name) => !documented.has(name))
  expect(unknown).toEqual([])
})

test('an alert that holds others back shares with each of them the label by which it does', () => {
  // What the unit tests count alerts by is a label that promtool saw on them, with a value.
  const labels = new Map<string, ReadonlySet<string>>()
  for (const text of read('deploy/prometheus/rules.test.yml')
    .split(/^ {2}- name: /m)
    .slice(1)) {
    const counted = text.match(/count by \(([\w, ]+)\) \(ALERTS/)?.[1]?.split(', ') ?? []
    labels.set(
      text.slice(0, text.indexOf('\n')),
      new Set(counted.filter((label) => new RegExp(`exp_samples: .*\\b${label}="\\w`).test(text))),
    )
  }
  const inhibiting =
    read('deploy/alertmanager/alertmanager.yml')
      .split(/^inhibit_rules:$/m)[1]
      ?.split(/^\w/m)[0] ?? ''
  const holds = [
    ...inhibiting.matchAll(
      /source_matchers: \[alertname (.+)\]\n +target_matchers: \[alertname (.+)\]\n +equal: \[(.+)\]/g,
    ),
  ].map(([, ...parts]) => parts.map((part) => [...part.matchAll(/\w+/g)].map(([word]) => word)))
  expect(holds.length).toBe(inhibiting.split('- source_matchers').length - 1)
  for (const [sources = [], targets = [], equal = []] of holds)
    for (const alert of [...sources, ...targets])
      for (const label of equal) expect([alert, label, labels.get(alert)?.has(label)]).toEqual([alert, label, true])
})

test('as shipped no hour is without those who hear of readings that stop', () => {
  const routes = read('deploy/alertmanager/alertmanager.yml')
  expect([...routes.matchAll(/_time_intervals: \[(.*)\]/g)].map(([, names]) => names)).toEqual(['always', 'always'])
  expect(routes).toContain(
    "  - name: always\n    time_intervals:\n      - times: [{ start_time: '00:00', end_time: '24:00' }]\n",
  )
})
