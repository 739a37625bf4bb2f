import { readFileSync } from 'node:fs'
import { ConfigurationError, type ConfigurationProblem } from '@millwright/core'
import type { KafkaConnection } from './kafka-connection.ts'

/** What a person may say on the command line of how Kafka is reached. No secret is among it: arguments are seen by all users of a machine. */
export interface KafkaFlags {
  /** `HOST:PORT,…` */
  readonly kafka?: string
  readonly kafkaUser?: string
  /** A file whose first line is the password. */
  readonly kafkaPasswordFile?: string
  readonly kafkaMechanism?: string
  /** PEM of the certificates that are trusted. */
  readonly kafkaCa?: string
  /** PEM of our certificate and key, where brokers want one. */
  readonly kafkaCert?: string
  readonly kafkaKey?: string
  /** TLS with the certificates that Node trusts. */
  readonly kafkaTls?: true
}

/** The same from the environment; a flag goes before. The password may also stand in `MILLWRIGHT_KAFKA_PASSWORD` itself. */
export const kafkaVariables = {
  kafka: 'MILLWRIGHT_KAFKA',
  kafkaUser: 'MILLWRIGHT_KAFKA_USER',
  kafkaPasswordFile: 'MILLWRIGHT_KAFKA_PASSWORD_FILE',
  kafkaMechanism: 'MILLWRIGHT_KAFKA_MECHANISM',
  kafkaCa: 'MILLWRIGHT_KAFKA_CA',
  kafkaCert: 'MILLWRIGHT_KAFKA_CERT',
  kafkaKey: 'MILLWRIGHT_KAFKA_KEY',
} as const

const passwordVariable = 'MILLWRIGHT_KAFKA_PASSWORD'
const mechanisms = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'] as const

/**
 * Makes a connection of flags and environment. `MILLWRIGHT_KAFKA` alone connects nothing: whether a command goes to Kafka is said by
 * `--kafka`, whose servers may be left to it (`--kafka env`).
 *
 * @returns `null` where `--kafka` is not given.
 * @throws {ConfigurationError} With every problem found. No message holds a secret, nor what a file of secrets holds.
 */
export function kafkaConnectionOf(
  flags: KafkaFlags,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): KafkaConnection | null {
  if (flags.kafka === undefined) return null
  const problems: ConfigurationProblem[] = []
  const given = (name: keyof typeof kafkaVariables): string | undefined => {
    const flag = flags[name]
    const value = flag === undefined || (name === 'kafka' && flag === 'env') ? environment[kafkaVariables[name]] : flag
    return value === '' ? undefined : value
  }
  const read = (name: keyof typeof kafkaVariables, wanted: string): string | undefined => {
    const path = given(name)
    if (path === undefined) return undefined
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      problems.push({ field: fieldOf(name), found: (error as Error).message, wanted })
      return undefined
    }
  }
  const bootstrapServers = serversOf(given('kafka') ?? '', problems)
  const password =
    read('kafkaPasswordFile', 'a file with the password')?.split(/\r?\n/, 1)[0] ?? environment[passwordVariable]
  const sasl = saslOf({ user: given('kafkaUser'), password, mechanism: given('kafkaMechanism') }, problems)
  const authority = read('kafkaCa', 'a PEM file')
  const certificate = read('kafkaCert', 'a PEM file')
  const key = read('kafkaKey', 'a PEM file')
  if ((given('kafkaCert') === undefined) !== (given('kafkaKey') === undefined))
    problems.push({
      field: '--kafka-cert, --kafka-key',
      found: 'one of the two',
      wanted: 'both: a certificate and its key',
    })
  if (problems.length > 0) throw new ConfigurationError('Kafka cannot be reached like this.', problems)
  const isTls = flags.kafkaTls === true || authority !== undefined || certificate !== undefined
  return {
    bootstrapServers,
    ...(isTls
      ? {
          tls: {
            ...(authority === undefined ? {} : { authority }),
            ...(certificate === undefined || key === undefined ? {} : { certificate: { certificate, key } }),
          },
        }
      : {}),
    ...(sasl === null ? {} : { sasl }),
  }
}

function serversOf(text: string, problems: ConfigurationProblem[]): string[] {
  const servers = text.split(',').map((server) => server.trim())
  const isServer = (server: string): boolean => {
    const port = Number(/^(?:[\w.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})$/.exec(server)?.[1])
    return port >= 1 && port <= 65_535
  }
  if (!servers.every(isServer))
    problems.push({
      field: '--kafka',
      found: text === '' ? 'nothing' : text.replace(/[^,]*@/g, '…@'),
      wanted: `HOST:PORT,… of some brokers, or env and ${kafkaVariables.kafka}`,
    })
  return servers
}

function saslOf(
  login: {
    readonly user: string | undefined
    readonly password: string | undefined
    readonly mechanism: string | undefined
  },
  problems: ConfigurationProblem[],
): NonNullable<KafkaConnection['sasl']> | null {
  const { user, password, mechanism = 'SCRAM-SHA-512' } = login
  if (user === undefined && password === undefined) return null
  const known = mechanisms.find((each) => each === mechanism)
  if (known === undefined)
    problems.push({ field: '--kafka-mechanism', found: mechanism, wanted: `one of ${mechanisms.join(', ')}` })
  if (user === undefined)
    problems.push({ field: '--kafka-user', found: 'a password and no user', wanted: 'the name that it belongs to' })
  if (password === undefined || password === '')
    problems.push({
      field: '--kafka-password-file',
      found: 'a user and no password',
      wanted: `a file with the password, or ${passwordVariable} in the environment`,
    })
  return known === undefined || user === undefined || password === undefined
    ? null
    : { mechanism: known, username: user, password }
}

/** `kafkaPasswordFile` is `--kafka-password-file`. */
function fieldOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
