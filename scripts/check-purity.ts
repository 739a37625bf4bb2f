/**
 * Fails where a pure room could give two answers: ambient time or chance, functions of Math whose last digit differs
 * between two V8s, asynchronous code. The compiler's `types: []` refuses what Node and browsers add; this refuses what the
 * language itself offers. Each ban names its replacement.
 *
 * `--self-test` plants each ban in a text and fails unless it is found.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'

const { rooms } = createRequire(import.meta.url)('./rooms.cjs') as { rooms: Record<string, { pure: boolean }> }
const root = join(import.meta.dirname, '..')

const bans: readonly { readonly pattern: RegExp; readonly instead: string; readonly planted: string }[] = [
  { pattern: /\bMath\.random\b/, instead: 'a seeded generator', planted: 'Math.random()' },
  {
    pattern: /\bnew Date\b|\bDate\.(?:now|parse|UTC)\b|\bDate\(/,
    instead: 'the time of the record',
    planted: 'Date.now()',
  },
  {
    pattern: /\bIntl\b|\btoLocale\w+\(|\blocaleCompare\b/,
    instead: 'comparison by code unit',
    planted: 'a.localeCompare(b)',
  },
  {
    pattern: /\bMath\.(?:a?(?:sin|cos|tan)h?|atan2|exp|expm1|log|log10|log1p|log2|pow|cbrt|hypot)\b/,
    instead: "core's own `math`",
    planted: 'Math.exp(1)',
  },
  { pattern: /[\w)\]]\s*\*\*\s*[\w(]/, instead: 'a product, or `math.pow` of core', planted: 'x ** 2' },
  { pattern: /\b(?:await|async)\b/, instead: 'a plain function', planted: 'async () => 1' },
  {
    pattern: /\b(?:setTimeout|setInterval|queueMicrotask|performance)\b/,
    instead: 'append time',
    planted: 'performance.now()',
  },
  { pattern: /\bnew (?:WeakRef|FinalizationRegistry)\b/, instead: 'explicit life times', planted: 'new WeakRef(x)' },
  // V8 inside Flink has no tables of Unicode: such a script does not even load.
  { pattern: /\\[pP]\{/, instead: 'the range of code points', planted: '/\\p{Cc}/u' },
]

const commentsAndStrings = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g

function problemsIn(text: string): { line: number; found: string; instead: string }[] {
  // Blanked rather than cut, so that lines keep their numbers.
  const code = text.replace(commentsAndStrings, (part) => part.replace(/[^\n]/g, ' '))
  return code.split('\n').flatMap((line, index) =>
    bans.flatMap(({ pattern, instead }) => {
      const match = pattern.exec(line)
      return match === null ? [] : [{ line: index + 1, found: match[0], instead }]
    }),
  )
}

let problemCount = 0
if (process.argv.includes('--self-test')) {
  for (const { planted } of bans) {
    if (problemsIn(`const y = ${planted}`).length > 0 && problemsIn(`// ${planted}`).length === 0) continue
    problemCount += 1
    process.stderr.write(`the check does not see ${planted}\n`)
  }
}

let fileCount = 0
for (const [room, { pure }] of Object.entries(rooms)) {
  if (!pure) continue
  const folder = join(root, 'packages', room, 'src')
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    // Regular expressions of the user-function check name what they ban, and AssemblyScript is another language.
    if (!name.endsWith('.ts') || /\.(?:test|wasm|as)\.ts$/.test(name) || name === 'pure-function.ts') continue
    fileCount += 1
    const path = join(folder, name)
    for (const { line, found, instead } of problemsIn(readFileSync(path, 'utf8'))) {
      problemCount += 1
      process.stderr.write(`${relative(root, path)}:${line}: found \`${found}\`; use ${instead}\n`)
    }
  }
}
process.stdout.write(`purity: ${fileCount} files of pure rooms, ${problemCount} problems\n`)
process.exitCode = problemCount === 0 ? 0 : 1
