import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { benchScratch } from './machine.ts'

/**
 * onnxruntime-node and the converter lie in a scratch folder, never in the repository: the product does not need them.
 * `--install-peers` puts them there.
 */

const home = join(benchScratch, 'onnx')
const converterPython = join(home, 'venv/bin/python')

/** What scoring through onnxruntime-node takes: the part of its types that is used. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(path: string, options: object): Promise<OnnxSession>
  }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => object
}

export interface OnnxSession {
  readonly outputNames: readonly string[]
  run(
    feeds: Readonly<Record<string, object>>,
    fetches: readonly string[],
  ): Promise<Record<string, { data: Float32Array }>>
}

/** Installs both with the ordinary clients of their registries. @throws When one of them fails; with what it said. */
export function installOnnx(python: string): void {
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n')
  // Its install script fetches GPU builds; the CPU build is in the package.
  run('npm', ['install', '--no-audit', '--no-fund', 'onnxruntime-node'], { ONNXRUNTIME_NODE_INSTALL: 'skip' })
  run(python, ['-m', 'venv', join(home, 'venv')])
  run(converterPython, [
    '-m',
    'pip',
    'install',
    '--quiet',
    'onnxmltools',
    'onnx',
    'skl2onnx',
    'packaging',
    'xgboost==2.1.4',
    'numpy',
  ])
}

/**
 * Converts the models in a folder and loads the runtime.
 *
 * @returns The reason, as text, where it cannot be had.
 */
export function onnxRuntime(modelFolder: string): OnnxRuntime | string {
  if (!existsSync(join(home, 'node_modules/onnxruntime-node')) || !existsSync(converterPython))
    return 'onnxruntime-node left out: not installed (`npm run bench -- scoring --install-peers` does that, in a scratch folder)'
  try {
    run(converterPython, [join(import.meta.dirname, 'onnx-convert.py'), modelFolder])
    return createRequire(join(home, 'package.json'))('onnxruntime-node') as OnnxRuntime
  } catch (error) {
    return `onnxruntime-node left out: ${error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error)}`
  }
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const { status, stderr, error } = spawnSync(command, args, {
    cwd: home,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
}
