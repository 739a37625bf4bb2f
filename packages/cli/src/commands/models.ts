import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConfigurationError, type ModelUpdate, type Plan } from '@millwright/core'
import type { ListedModel } from '@millwright/gateways'
import type { KafkaFlags } from '@millwright/gateways/kafka'
import { checkModelPackage, loadPackagedModel, type ModelPackage, openModelPackage } from '@millwright/scoring'
import type { Command } from 'commander'
import { askPlant } from '../control/control-client.ts'
import { addKafkaFlags, connectionOf } from '../kafka/kafka-flags.ts'
import type { KafkaModels } from '../kafka/model-updates.ts'
import { awaitMoment } from '../models/await-moment.ts'
import { readModelFile } from '../models/model-for-replay.ts'
import { nodeCrypto } from '../models/node-crypto.ts'
import { packForPlan, signerOf } from '../models/pack.ts'
import { listModels } from '../plant/model-desk.ts'
import { openPlant } from '../plant/open-plant.ts'
import { PackageJudge, readPublications } from '../plant/published-models.ts'
import { loadProject } from '../project/load-project.ts'

const examples = `
Examples:
  millwright models pack my-plant --model model.json --features device-features.ndjson --as 2026-11 --out model.mwmodel
  millwright models inspect model.mwmodel
  millwright models verify model.mwmodel --project my-plant
  millwright models publish my-plant model.mwmodel
  millwright models rollback my-plant
  millwright models publish my-plant model.mwmodel --kafka 127.0.0.1:9092`

/** Adds `millwright models`: packages, and which of them is in force. */
export function addCommand(program: Command): void {
  const models = program
    .command('models')
    .description('Make, look into, publish and take back model packages.')
    .addHelpText('after', examples)
  models
    .command('pack')
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .description('Make a package of an XGBoost file for a project.')
    .requiredOption('--model <file>', 'XGBoost model, .json or .ubj')
    .requiredOption('--features <file>', 'device-features.ndjson of the training period: baseline and golden rows')
    .requiredOption('--as <version>', 'version, for people and on every alert')
    .requiredOption('--out <file>', 'package to write')
    .option('--threshold <p>', "alert when the probability is greater (default: the plan's, else 0.8)")
    .option('--metrics <file[#field]>', 'JSON object of numbers: how the model was judged')
    .option('--created-by <text>', 'who made it', 'millwright models pack')
    .option('--key <file>', 'Ed25519 private key (PEM) to sign with')
    .action(pack)
  models
    .command('inspect')
    .argument('<package>')
    .description('Print what a package says of itself, as JSON.')
    .action(inspect)
  models
    .command('verify')
    .argument('<package>')
    .option('--project <project>', 'also check that this project may use it')
    .description('Check hashes, signature and golden rows; exit 1 when it would be refused.')
    .action(verifyPackage)
  addKafkaFlags(models.command('list'))
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .option('--data <dir>', 'data folder (default: data, in the project)')
    .option('--json', 'one JSON document on stdout')
    .description('List what was published, newest first, and which model is in force.')
    .action(list)
  addKafkaFlags(models.command('publish'))
    .argument('<project>', 'folder or millwright.config.ts')
    .argument('<package>')
    .option('--data <dir>', 'data folder (default: data, in the project)')
    .option(
      '--active-from <iso>',
      'moment from which it is in force (default: a second from now, for which the command waits)',
    )
    .option('--json', 'print the update as JSON on stdout')
    .description('Put a package in force, in a running or stopped plant. A bad one is refused and changes nothing.')
    .action(publish)
  addKafkaFlags(models.command('rollback'))
    .argument('[project]', 'folder or millwright.config.ts', '.')
    .option('--data <dir>', 'data folder (default: data, in the project)')
    .option('--json', 'print the update as JSON on stdout')
    .description('Put the model in force again that was before the newest.')
    .action(rollback)
}

interface PackFlags {
  readonly model: string
  readonly features: string
  readonly as: string
  readonly out: string
  readonly threshold?: string
  readonly metrics?: string
  readonly createdBy: string
  readonly key?: string
}

const referenceThreshold = 0.8

async function pack(projectPath: string, flags: PackFlags): Promise<void> {
  const { plan } = await loadProject(projectPath)
  const bytes = await packForPlan({
    plan,
    model: readModelFile(flags.model),
    featuresPath: flags.features,
    version: flags.as,
    threshold: flags.threshold === undefined ? (plan.alert.threshold ?? referenceThreshold) : Number(flags.threshold),
    metrics: flags.metrics === undefined ? {} : readMetrics(flags.metrics),
    createdBy: flags.createdBy,
    signer: flags.key === undefined ? null : signerOf(flags.key),
  })
  writeFileSync(flags.out, bytes)
  const { manifest, sha256 } = openModelPackage(bytes, nodeCrypto)
  process.stderr.write(`${flags.out}: ${manifest.name} ${manifest.version}, ${bytes.length} bytes, SHA-256 ${sha256}\n`)
}

/** @param place A file, or a file and the field of it that holds the metrics: `metrics.json#test`. */
function readMetrics(place: string): Record<string, number | null> {
  const [path = '', field] = place.split('#', 2)
  const problem = (found: string): ConfigurationError =>
    new ConfigurationError('The metrics cannot be used.', [
      { field: '--metrics', found, wanted: 'a JSON object of numbers, for example { "f1": 0.75 }' },
    ])
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
    if (field !== undefined) value = (value as Record<string, unknown>)[field]
  } catch (error) {
    throw problem(error instanceof Error ? error.message : String(error))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw problem('something else')
  for (const [name, metric] of Object.entries(value))
    if (metric !== null && typeof metric !== 'number') throw problem(`"${name}", which is no number`)
  return value as Record<string, number | null>
}

function inspect(path: string): void {
  const { manifest, sha256, byteLength, signature } = openPackageFile(path)
  const goldenRows = manifest.goldenRows.map(({ features, probability }) => ({
    features: Array.from(features, (value) => (Number.isNaN(value) ? null : value)),
    probability,
  }))
  const signedBy = signature === null ? null : Buffer.from(signature.publicKey).toString('base64')
  process.stdout.write(`${JSON.stringify({ ...manifest, goldenRows, sha256, byteLength, signedBy }, null, 2)}\n`)
}

async function verifyPackage(path: string, flags: { readonly project?: string }): Promise<void> {
  const modelPackage = openPackageFile(path)
  if (flags.project === undefined) {
    loadPackagedModel(modelPackage)
    const { signature } = modelPackage
    const signed =
      signature === null
        ? 'not signed'
        : `signed by ${Buffer.from(signature.publicKey).toString('base64')}, not checked`
    process.stderr.write(
      `${path} is whole, and its model answers its golden rows bit for bit (${signed}; name --project to hold it to a plant).\n`,
    )
    return
  }
  const { plan } = await loadProject(flags.project)
  checkModelPackage(modelPackage, plan, nodeCrypto)
  process.stderr.write(`${path} may be used in ${plan.name}.\n`)
}

function openPackageFile(path: string): ModelPackage {
  return openModelPackage(readModelFile(path), nodeCrypto)
}

interface StoreFlags extends KafkaFlags {
  readonly data?: string
  readonly json?: true
}

async function list(projectPath: string, flags: StoreFlags): Promise<void> {
  const { directory, plan } = await loadProject(projectPath)
  const onKafka = await withKafkaModels(plan, flags, (models) => models.list())
  if (onKafka !== null) return printModels(plan, onKafka, flags, 'on Kafka')
  const dataDirectory = flags.data ?? join(directory, 'data')
  // A plant that runs may have been started with another configuration than stands there now.
  const answer = await askPlant(dataDirectory, { kind: 'list-models' })
  const listed =
    answer !== null
      ? (answer.result as ListedModel[])
      : listModels(readPublications(dataDirectory), new PackageJudge(plan, dataDirectory), Date.now())
  printModels(plan, listed, flags, `in ${dataDirectory}`)
}

function printModels(plan: Plan, listed: readonly ListedModel[], flags: StoreFlags, where: string): void {
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(listed)}\n`)
    return
  }
  if (listed.length === 0) process.stderr.write(`No model was published ${where} yet.\n`)
  for (const { state, name, version, activeFrom, sha256, partitions, refusal } of listed) {
    const only = partitions === undefined ? '' : `  in partition ${partitions.join(', ')} only`
    process.stdout.write(
      `${state.padEnd(10)}  ${name} ${version}  from ${new Date(activeFrom).toISOString()}  ${sha256.slice(0, 12)}${only}\n`,
    )
    if (refusal !== undefined) process.stdout.write(`            ${refusal.message}\n`)
  }
  const isScored = listed.some(({ state }) => state === 'in-force' || state === 'scheduled')
  if (plan.model !== null && listed.length > 0 && !isScored)
    process.stderr.write(`No model of ${plan.model.name} is in force: windows get features and no score.\n`)
}

async function publish(
  projectPath: string,
  path: string,
  flags: StoreFlags & { readonly activeFrom?: string },
): Promise<void> {
  const activeFromMs = flags.activeFrom === undefined ? null : momentOf(flags.activeFrom)
  const bytes = readModelFile(path)
  const { plan } = await loadProject(projectPath)
  const onKafka = await changeOnKafka(plan, flags, (models) => models.publish(bytes, activeFromMs ?? undefined))
  const { inForceFromMs } =
    onKafka ??
    (await change(projectPath, flags, { kind: 'publish', file: resolve(path), activeFromMs }, (engine) =>
      engine.publish(bytes, activeFromMs === null ? {} : { activeFromMs }),
    ))
  // Whoever named a moment does not wait for it.
  if (activeFromMs === null) await awaitMoment(inForceFromMs)
}

async function rollback(projectPath: string, flags: StoreFlags): Promise<void> {
  const { plan } = await loadProject(projectPath)
  const onKafka = await changeOnKafka(plan, flags, (models) => models.rollback())
  const { inForceFromMs } =
    onKafka ?? (await change(projectPath, flags, { kind: 'rollback' }, (engine) => engine.rollback()))
  await awaitMoment(inForceFromMs)
}

/** What was written, and the first append time (epoch milliseconds) that it scores: its own, or later where that was too soon. */
interface Change {
  readonly update: ModelUpdate
  readonly inForceFromMs: number
}

/** Asks the plant that runs there, or opens the data folder where none does; says what it answers. */
async function change(
  projectPath: string,
  flags: StoreFlags,
  request: Parameters<typeof askPlant>[1],
  act: (engine: Awaited<ReturnType<typeof openPlant>>['engine']) => Promise<ModelUpdate>,
): Promise<Change> {
  const project = await loadProject(projectPath)
  const dataDirectory = flags.data ?? join(project.directory, 'data')
  const answer = await askPlant(dataDirectory, request)
  let update: ModelUpdate
  if (answer !== null) update = answer.result as ModelUpdate
  else {
    const { engine } = await openPlant({ project, dataDirectory, workerCount: 1 })
    try {
      update = await act(engine)
    } finally {
      await engine.close()
    }
  }
  // Every partition has it by now: where that took too long, it is in force already.
  const changed = { update, inForceFromMs: update.activeFrom }
  printChange(changed, flags, answer === null ? ' (the plant does not run)' : '')
  return changed
}

function printChange({ update, inForceFromMs }: Change, flags: StoreFlags, where: string): void {
  if (flags.json) process.stdout.write(`${JSON.stringify(update)}\n`)
  else
    process.stderr.write(
      `${update.name} ${update.version} is in force from ${new Date(inForceFromMs).toISOString()}${where}.\n`,
    )
}

/** Changes it on Kafka, where the flags say so, and says what came of it; else resolves to `null`. */
async function changeOnKafka(
  plan: Plan,
  flags: StoreFlags,
  act: (models: KafkaModels) => Promise<ModelUpdate>,
): Promise<Change | null> {
  const changed = await withKafkaModels(plan, flags, async (models) => {
    const update = await act(models)
    return { update, inForceFromMs: models.inForceFromMs(update) }
  })
  if (changed !== null) printChange(changed, flags, ' (on Kafka)')
  return changed
}

/** Does it on Kafka, where the flags say so; else resolves to `null`. */
async function withKafkaModels<T>(
  plan: Plan,
  flags: StoreFlags,
  act: (models: KafkaModels) => Promise<T>,
): Promise<T | null> {
  const connection = await connectionOf(flags, { '--data': flags.data })
  if (connection === null) return null
  const { KafkaModels } = await import('../kafka/model-updates.ts')
  const models = await KafkaModels.open(connection, plan)
  try {
    return await act(models)
  } finally {
    await models.close()
  }
}

function momentOf(text: string): number {
  const ms = Date.parse(text)
  if (/^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/.test(text) && !Number.isNaN(ms)) return ms
  throw new ConfigurationError('The model cannot be published.', [
    { field: '--active-from', found: text, wanted: 'a moment with its zone, such as 2026-11-23T06:00:00Z' },
  ])
}
