/**
 * Compiles each `packages/kernels/src/*.as.ts` with AssemblyScript and writes the bytes as base64 into `*.wasm.ts`
 * beside it, so that a clone runs with no build step and plain V8 needs no file system.
 * With `--check`, writes nothing and fails when a committed file differs from what its source compiles to.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main as assemblyScript } from 'assemblyscript/asc'

const folder = join(import.meta.dirname, '../packages/kernels/src')
const check = process.argv.includes('--check')
const scratch = mkdtempSync(join(tmpdir(), 'millwright-kernels-'))
let failed = false
try {
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.as.ts'))
    .sort()) {
    const kernel = file.slice(0, -'.as.ts'.length)
    const binary = join(scratch, `${kernel}.wasm`)
    const result = await assemblyScript([
      join(folder, file),
      '--outFile',
      binary,
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '--enable',
      'simd',
    ])
    if (result.error) {
      process.stderr.write(`${file}: ${result.stderr.toString()}\n`)
      failed = true
      continue
    }
    const base64 = readFileSync(binary).toString('base64')
    const text = `// Made from ${file} by \`npm run build:kernels\`; \`npm run check:kernels\` compares. Do not edit.\nexport const ${camel(kernel)}WasmBase64 =\n  '${base64}'\n`
    const target = join(folder, `${kernel}.wasm.ts`)
    if (!check) {
      writeFileSync(target, text)
      process.stdout.write(`${kernel}: ${readFileSync(binary).length} bytes\n`)
    } else if (readFileSync(target, 'utf8') !== text) {
      process.stderr.write(`${target} does not match ${file}: run \`npm run build:kernels\`\n`)
      failed = true
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
process.exitCode = failed ? 1 : 0

function camel(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
