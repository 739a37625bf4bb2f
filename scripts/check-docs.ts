/**
 * Fails where documents are not true: a path or a link that leads nowhere, a table of rooms that differs from the one that is enforced, a script
 * that package.json does not have, a call of `millwright` that the command line would refuse. Scripts and calls are looked at in help texts, messages
 * and comments of the packages and in `deploy` too: a user is told there what to type.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { makeCommandCheck } from './docs/command-check.ts'
import { missingScripts } from './docs/script-check.ts'
import { codeInMarkdown, codeInUnit, commandsInSource, type ShownCode } from './docs/shown-code.ts'

const { rooms } = createRequire(import.meta.url)('./rooms.cjs') as { rooms: Record<string, { may: string[] }> }
const root = join(import.meta.dirname, '..')
const problems: string[] = []

const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
for (const folder of ['docs', 'examples', 'bench', 'conformance', 'fixtures'])
  pages.push(...filesBelow(folder).filter((name) => name.endsWith('.md')))
const sources = [...filesBelow('packages'), ...filesBelow('deploy')].filter(
  (name) => /\.(?:ts|js|yml|service)$/.test(name) && !/\.test\.ts$|\.wasm\.ts$/.test(name),
)

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => !/(?:^|[\\/])(?:node_modules|dist|target)(?:[\\/]|$)/.test(name))
    .map((name) => join(folder, name))
}

for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8')
  for (const match of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g))
    if (!existsSync(join(root, dirname(page), match[1] ?? '')))
      problems.push(`${page}: link to ${match[1]} leads nowhere`)
  // A path in backticks that begins with a folder of the repository is a promise too.
  for (const match of text.matchAll(/`((?:packages|docs|examples|bench|conformance|fixtures|scripts)\/[\w./-]+)`/g))
    if (!existsSync(join(root, match[1] ?? ''))) problems.push(`${page}: \`${match[1]}\` does not exist`)
  for (const match of text.matchAll(/\bnode (?:--[\w-]+ )*((?:packages|bench|conformance|scripts)\/[\w./-]+)/g))
    if (!existsSync(join(root, match[1] ?? ''))) problems.push(`${page}: \`${match[0]}\` does not exist`)
  if (/\/(?:work|root|home)\/\w/.test(text)) problems.push(`${page}: names a path of one machine`)
}

const scripts = new Set(Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts))
const refusalsOf = await makeCommandCheck()
for (const file of [...pages, ...sources, 'package.json']) {
  const text = readFileSync(join(root, file), 'utf8')
  for (const { line, script } of missingScripts(text, scripts))
    problems.push(`${file}:${line}: package.json has no script "${script}"`)
  for (const code of codeIn(file, text))
    for (const refusal of await refusalsOf(code)) problems.push(`${file}:${code.line}: ${refusal}`)
}

function codeIn(file: string, text: string): ShownCode[] {
  if (file.endsWith('.md')) return codeInMarkdown(text)
  return file.endsWith('.service') ? codeInUnit(text) : commandsInSource(text, 'millwright')
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
process.stdout.write(`docs: ${pages.length} pages, ${sources.length} sources, ${problems.length} problems\n`)
process.exitCode = problems.length === 0 ? 0 : 1
