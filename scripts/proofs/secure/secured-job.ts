import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AclOperations, ResourceTypes } from '@platformatic/kafka'
import {
  pressLines,
  pressPackage,
  writeLines,
  writeProject,
} from '../../../packages/cli/src/commands/command-testing.ts'
import { authorityPath, keyStorePath, trustStorePath } from '../../../packages/cluster/src/development/certificates.ts'
import type { DevelopmentCluster } from '../../../packages/cluster/src/development/index.ts'
import { type CommandResult, command, startGateway } from '../support/commands.ts'
import { eventually, type Proof } from '../support/proof.ts'
import { type Right, rightsOfGuide } from './guide-rights.ts'
import { KafkaUsers } from './kafka-users.ts'
import { startLoginProxy } from './login-proxy.ts'
import { type Place, placesOfCommandLines, placesOfFiles, placesOfRest, placesWith } from './places-of-text.ts'

const minutes = 20
const deviceCount = 2
/** Between two looks at the arguments of all processes: no command of ours is over sooner. */
const lookEveryMs = 100

/** Each is another one, so that what is found says whose it is. */
interface Secrets {
  readonly job: string
  readonly deployer: string
  readonly gateway: string
  readonly flink: string
  readonly wrong: string
  /** Of the key and trust stores of Flink, of Kafka and of the job. */
  readonly stores: string
}

/**
 * A plant on a cluster that asks for logins and rights: users with just the rights that the guides name, and after a run of it, none of the
 * passwords anywhere that others may look.
 */
export async function proveSecuredJob(proof: Proof, cluster: DevelopmentCluster): Promise<void> {
  const password = (): string => randomBytes(12).toString('hex')
  const secrets: Secrets = {
    ...{ job: password(), deployer: password(), gateway: password(), flink: password(), wrong: password() },
    stores: cluster.settings.password,
  }
  const users = new KafkaUsers(cluster.secureKafka)
  const jobRights = rightsOfGuide('cluster.md', "With ACLs the job's own user")
  for (const [name, rights] of [
    ['job', jobRights],
    ['deployer', rightsOfGuide('cluster.md', '`deploy` itself makes the topics')],
    [
      'gateway',
      [
        ...rightsOfGuide('kafka.md', 'the user of a gateway needs'),
        ...rightsOfGuide('kafka.md', 'where models are published through it'),
        ...rightsOfGuide('kafka.md', 'and for `ingest`'),
      ],
    ],
  ] as const) {
    await users.add(name, secrets[name], cluster.secureKafka)
    await users.allow(name, rights)
  }
  const proxy = await startLoginProxy(cluster, { name: 'operator', password: secrets.flink })
  proof.onEnd(() => proxy.close())

  const plant = new SecuredPlant(proof, cluster, proxy.url, secrets)
  await plant.run()
  await plant.searched(proof)
  await plant.missingRights(users, jobRights)
  await users.close()
}

class SecuredPlant {
  readonly #proof: Proof
  readonly #cluster: DevelopmentCluster
  readonly #secrets: Secrets
  readonly #project: string
  readonly #flink: readonly string[]
  readonly #said: Place[] = []
  readonly #jobIds: string[] = []
  readonly #commandLines = new Map<string, Place>()

  constructor(proof: Proof, cluster: DevelopmentCluster, flinkUrl: string, secrets: Secrets) {
    this.#proof = proof
    this.#cluster = cluster
    this.#secrets = secrets
    this.#project = writeProject(join(proof.folder, 'project'))
    this.#flink = ['--flink', flinkUrl, ...this.#flinkLogin('flink')]
  }

  /** The plant at work, each part of it by its own user. */
  async run(): Promise<void> {
    const looking = setInterval(() => this.#lookAtCommandLines(), lookEveryMs)
    try {
      const { jobId } = await this.#deployed('job')
      this.#jobIds.push(jobId)
      const model = join(this.#proof.folder, 'press.mwmodel')
      writeFileSync(model, pressPackage('1'))
      const readings = writeLines(join(this.#proof.folder, 'readings.ndjson'), pressLines(0, minutes))
      await this.#told('models', 'publish', this.#project, model, ...this.#kafka('gateway'))
      await this.#told('ingest', this.#project, '--input', readings, ...this.#kafka('gateway'))
      const wanted = deviceCount * (minutes - 1)
      const found = await eventually(`${wanted} alert signals`, 240, async () => {
        const { stdout } = await this.#did('topics', 'export', 'alert-signals', ...this.#kafka('gateway'))
        const lines = stdout.split('\n').filter((line) => line !== '')
        return lines.length >= wanted ? lines : null
      })
      const status = await eventually('a checkpoint', 120, async () => {
        const now = await this.#told('status', this.#project, ...this.#flink)
        return now.checkpoints.completed > 0 ? now : null
      })
      this.#proof.check(
        found.length === wanted && status.restarts === 0,
        `with just the rights that the guides name, ${found.length} windows go through files, Kafka, Flink and back, with no restart`,
      )
      await this.#gatewayTakes()
      await this.#refusals()
    } finally {
      clearInterval(looking)
    }
  }

  /** A gateway with its own user takes readings. */
  async #gatewayTakes(): Promise<void> {
    const gateway = await startGateway(this.#project, ...this.#kafka('gateway'))
    this.#proof.onEnd(() => gateway.kill())
    const body = pressLines(minutes, minutes + 1).join('\n')
    const headers = { 'content-type': 'application/x-ndjson' }
    const { status } = await fetch(`${gateway.url}/api/readings`, { method: 'POST', headers, body })
    await gateway.stop()
    this.#proof.check(status === 202, `a gateway's user may write what comes in: it is answered ${status}`)
  }

  /** What the commands say where a login is wrong. */
  async #refusals(): Promise<void> {
    const kafka = await this.#say('topics', 'list', ...this.#kafka('gateway', 'wrong'))
    const flink = await this.#say('status', this.#project, ...this.#flink.slice(0, 2), ...this.#flinkLogin('wrong'))
    this.#proof.check(
      kafka.code !== 0 && flink.code !== 0 && /login|password|user/i.test(kafka.stderr + flink.stderr),
      `wrong passwords are refused: ${firstLine(kafka.stderr)} | ${firstLine(flink.stderr)}`,
    )
    await this.#told('cancel', this.#project, ...this.#flink, '--without-savepoint')
    const job = await this.#deployedAnew('wrong')
    this.#proof.check(
      job.code !== 0 && /authentication/i.test(job.stderr),
      `a job whose own password is wrong does not come up: ${firstLine(job.stderr)}`,
    )
  }

  /** No secret stands anywhere that others may look. */
  async searched(proof: Proof): Promise<void> {
    const { folder } = this.#cluster
    const all = JSON.parse(
      (await placesOfRest(this.#cluster, [])).find(({ name }) => name === '/jobs/overview')?.text ?? '{"jobs":[]}',
    ) as { jobs: { jid: string }[] }
    const jobIds = all.jobs.map(({ jid }) => jid)
    const rest = await placesOfRest(this.#cluster, jobIds)
    const files = placesOfFiles([
      ...[folder.logs, folder.checkpoints, folder.savepoints, folder.uploads, folder.highAvailability],
      ...(['job-manager', 'task-manager-1', 'task-manager-2'] as const).map((role) => folder.temporary(role)),
    ])
    const places = [...rest, ...files, ...this.#said, ...this.#commandLines.values()]
    proof.say(
      `searched: ${rest.length} answers of Flink of ${jobIds.length} jobs, ${files.length} files, what ${this.#said.length} commands said, ${this.#commandLines.size} command lines`,
    )
    const held = placesWith(places, this.#propertiesPath('job'))
    proof.check(
      held.includes(`/jobs/${this.#jobIds[0]}/config`) &&
        placesWith([...this.#commandLines.values()], this.#passwordPath('gateway')).length > 0 &&
        placesWith(files, 'task-manager-1').length > 0,
      `the search finds what may be found: the name of the file with the job's login in ${held.length} places`,
    )
    const basic = Buffer.from(`operator:${this.#secrets.flink}`).toString('base64')
    for (const [whose, secret] of Object.entries({ ...this.#secrets, basic })) {
      const found = placesWith(places, secret)
      proof.check(
        found.length === 0,
        `the password "${whose}" is nowhere${found.length === 0 ? '' : `, but in ${found}`}`,
      )
    }
  }

  /** One right less, and the job says which. */
  async missingRights(users: KafkaUsers, rights: readonly Right[]): Promise<void> {
    for (const [operation, topic] of [
      [AclOperations.READ, 'device-events'],
      [AclOperations.WRITE, 'alert-signals'],
    ] as const) {
      const right = rights.find(
        (each) =>
          each.resourceType === ResourceTypes.TOPIC && each.resourceName === topic && each.operation === operation,
      )
      if (right === undefined) throw new Error(`the guide gives the job no such right on ${topic}`)
      await users.takeAway('job', right)
      const { cause } = await this.#failureOf(topic)
      this.#proof.check(
        cause.includes(topic) && /authoriz/i.test(cause),
        `without ${operation === AclOperations.READ ? 'read' : 'write'} on ${topic}: ${cause}`,
      )
      await users.allow('job', [right])
    }
  }

  /** Deploys anew, over readings that bring outputs to every topic that they did before; waits for the failure. */
  async #failureOf(what: string): Promise<{ cause: string }> {
    const { code, stderr } = await this.#deployedAnew('job')
    if (code !== 0) return { cause: firstLine(stderr) }
    const failure = await eventually(`a failure that names ${what}`, 180, async () => {
      const { failures } = await this.#told('status', this.#project, ...this.#flink)
      return (failures as { cause: string }[]).find(({ cause }) => cause.includes(what)) ?? null
    })
    await this.#told('cancel', this.#project, ...this.#flink, '--without-savepoint')
    return failure
  }

  async #deployed(login: keyof Secrets): Promise<{ jobId: string }> {
    return this.#told(...this.#deployment(login))
  }

  async #deployedAnew(login: keyof Secrets): Promise<CommandResult> {
    return this.#say(...this.#deployment(login), '--without-state')
  }

  #deployment(login: keyof Secrets): string[] {
    const path = this.#propertiesPath(login)
    writeFileSync(path, this.#properties(this.#secrets[login]), { mode: 0o600 })
    return ['deploy', this.#project, ...this.#flink, ...this.#kafka('deployer'), '--kafka-properties', path]
  }

  #properties(password: string): string {
    const { folder, settings } = this.#cluster
    return Object.entries({
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.jaas.config': `org.apache.kafka.common.security.scram.ScramLoginModule required username="job" password="${password}";`,
      'ssl.truststore.type': 'PKCS12',
      'ssl.truststore.location': trustStorePath(folder),
      'ssl.truststore.password': settings.password,
      'ssl.keystore.type': 'PKCS12',
      'ssl.keystore.location': keyStorePath(folder),
      'ssl.keystore.password': settings.password,
      'ssl.key.password': settings.password,
    })
      .map(([name, value]) => `${name}=${value}\n`)
      .join('')
  }

  #kafka(user: 'deployer' | 'gateway', password: keyof Secrets = user): string[] {
    const servers = this.#cluster.secureKafka.bootstrapServers.join(',')
    const login = ['--kafka-user', user, '--kafka-password-file', this.#passwordFile(password)]
    return ['--kafka', servers, ...login, '--kafka-ca', authorityPath(this.#cluster.folder)]
  }

  #flinkLogin(password: keyof Secrets): string[] {
    const login = ['--flink-user', 'operator', '--flink-password-file', this.#passwordFile(password)]
    return ['--flink-ca', authorityPath(this.#cluster.folder), ...login]
  }

  #passwordFile(whose: keyof Secrets): string {
    writeFileSync(this.#passwordPath(whose), `${this.#secrets[whose]}\n`, { mode: 0o600 })
    return this.#passwordPath(whose)
  }

  #passwordPath(whose: keyof Secrets): string {
    return join(this.#proof.folder, `password-${whose}`)
  }

  #propertiesPath(whose: keyof Secrets): string {
    return join(this.#proof.folder, `${whose}.properties`)
  }

  /** Runs a command, and keeps what it says. */
  async #say(...args: readonly string[]): Promise<CommandResult> {
    const result = await command(...args)
    this.#said.push({ name: args.slice(0, 2).join(' '), text: result.stdout + result.stderr })
    return result
  }

  async #did(...args: readonly string[]): Promise<CommandResult> {
    const result = await this.#say(...args)
    if (result.code !== 0) throw new Error(`millwright ${args.join(' ')}: ${result.stderr}`)
    return result
  }

  async #told(...args: readonly string[]) {
    return JSON.parse((await this.#did(...args, '--json')).stdout)
  }

  #lookAtCommandLines(): void {
    for (const place of placesOfCommandLines()) this.#commandLines.set(place.text, place)
  }
}

function firstLine(text: string): string {
  return (text.split('\n').find((line) => /authent|authoriz|login|password|refused|fail/i.test(line)) ?? text).trim()
}
