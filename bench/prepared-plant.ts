import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { benchScratch } from './machine.ts'
import { measureCommand } from './measure.ts'
import { millwright, peersInput, peersScratch, referenceProject } from './peers.ts'

/**
 * The reference project with the peers' model as its package, in a scratch folder: a plant that starts on it scores from
 * its first window. The baseline comes from the peers' input; nothing that is measured depends on it.
 *
 * @throws When there are no peers beside the repository.
 */
export async function preparedProject(): Promise<string> {
  const project = join(benchScratch, 'reference-plant')
  const packagePath = join(project, 'model.mwmodel')
  mkdirSync(project, { recursive: true })
  copyFileSync(join(referenceProject, 'millwright.config.ts'), join(project, 'millwright.config.ts'))
  if (existsSync(packagePath)) return project
  const out = join(benchScratch, 'features-for-package')
  const model = join(peersScratch(), 'model.json')
  await measureCommand([
    ...millwright,
    'replay',
    referenceProject,
    '--input',
    peersInput(100_000),
    '--out',
    out,
    '--model',
    model,
  ])
  const features = join(out, 'device-features.ndjson')
  await measureCommand([
    ...millwright,
    'models',
    'pack',
    referenceProject,
    ...['--model', model, '--features', features, '--as', 'bench', '--out', packagePath],
  ])
  return project
}
