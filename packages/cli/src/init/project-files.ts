import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { ConfigurationError } from '@millwright/core'
import { packagesFolder } from '../installation.ts'
import { configFileName } from '../project/load-project.ts'
import { plainLetters } from './guess-unit.ts'

/** Returns the name of a plant in this folder: lower-case words joined by `-`. */
export function plantNameOf(directory: string): string {
  const words = plainLetters(basename(resolve(directory)))
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  const name = words.join('-').slice(0, 60).replace(/-$/, '')
  return /^[a-z]/.test(name) ? name : name === '' ? 'plant' : `plant-${name}`
}

/**
 * Refuses a folder in which something is, so that no work is lost.
 *
 * @throws {ConfigurationError} Unless it is not there, is empty, or `force` is given.
 */
export function requireFree(directory: string, force: boolean): void {
  if (!existsSync(directory)) return
  const refuse = (found: string, wanted: string): ConfigurationError =>
    new ConfigurationError('The project cannot be written there.', [{ field: 'DIR', found, wanted }])
  if (!statSync(directory).isDirectory())
    throw refuse(`${directory}, which is a file`, 'a folder, or a name for a new one')
  const entries = readdirSync(directory)
  if (entries.length > 0 && !force)
    throw refuse(
      `${directory} with ${entries.length === 1 ? `"${entries[0]}"` : `${entries.length} files`} in it`,
      'an empty folder, a name for a new one, or --force to write beside (and over) what is there',
    )
}

/** Writes a project; returns the paths of its files. Files of other names are left alone. */
export function writeProject(directory: string, project: { name: string; config: string; readme: string }): string[] {
  mkdirSync(directory, { recursive: true })
  const files: Readonly<Record<string, string>> = {
    [configFileName]: project.config,
    'package.json': packageJson(project.name),
    'tsconfig.json': typeScriptConfig(directory),
    'README.md': project.readme,
    '.gitignore': 'node_modules/\ndata/\nout/\n',
  }
  return Object.entries(files).map(([name, text]) => {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  })
}

function packageJson(name: string): string {
  const content = {
    name,
    private: true,
    type: 'module',
    scripts: { start: 'millwright run .', replay: 'millwright replay . --out out' },
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

/** Shows the editor where the types are: in the copy of Millwright that wrote the project, which also runs it. */
function typeScriptConfig(directory: string): string {
  const entry = (room: string): string => {
    const path = relative(resolve(directory), join(packagesFolder, room, 'src', 'index.ts')).replaceAll('\\', '/')
    return path.startsWith('.') ? path : `./${path}`
  }
  const content = {
    compilerOptions: {
      target: 'es2024',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      erasableSyntaxOnly: true,
      skipLibCheck: true,
      types: [],
      paths: { '@millwright/plant': [entry('plant')], '@millwright/core': [entry('core')] },
    },
    include: [configFileName],
  }
  const note = '// For the editor alone: the paths lead to the copy of Millwright that wrote this project.\n'
  return `${note}${JSON.stringify(content, null, 2)}\n`
}
