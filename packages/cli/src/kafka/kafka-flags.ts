import { ConfigurationError } from '@millwright/core'
import type { KafkaConnection, KafkaFlags } from '@millwright/gateways/kafka'
import type { Command } from 'commander'

/** Adds the flags by which a command goes to Kafka; docs/guide/kafka.md. */
export function addKafkaFlags(command: Command): Command {
  return command
    .option('--kafka <host:port,…>', 'brokers of Apache Kafka, instead of a data folder; env: as MILLWRIGHT_KAFKA says')
    .option('--kafka-user <name>', 'user of SASL/SCRAM (or MILLWRIGHT_KAFKA_USER)')
    .option('--kafka-password-file <file>', 'file with the password (or MILLWRIGHT_KAFKA_PASSWORD)')
    .option('--kafka-mechanism <name>', 'SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN (default: SCRAM-SHA-512)')
    .option('--kafka-ca <file>', 'PEM certificates that are trusted; turns TLS on')
    .option('--kafka-cert <file>', 'PEM certificate of this client, where brokers want one')
    .option('--kafka-key <file>', 'PEM key of the certificate')
    .option('--kafka-tls', 'TLS with the certificates that Node trusts')
}

/**
 * The connection that the flags ask for; `null` where they ask for none.
 *
 * @param without Flags of the same command that mean nothing with Kafka, as they are given.
 * @throws {ConfigurationError} As `kafkaConnectionOf`; when one of the others is given beside `--kafka`; when a flag of Kafka's is given without it.
 */
export async function connectionOf(
  flags: KafkaFlags,
  without: Readonly<Record<string, string | true | undefined>> = {},
): Promise<KafkaConnection | null> {
  const others = Object.entries(flags).filter(([name, value]) => name.startsWith('kafka') && value !== undefined)
  if (flags.kafka === undefined && others.length > 0)
    throw new ConfigurationError('Kafka is not named.', [
      { field: '--kafka', found: 'nothing', wanted: 'HOST:PORT,… of some brokers, or env' },
    ])
  if (flags.kafka === undefined) return null
  const idle = Object.entries(without).filter(([, value]) => value !== undefined)
  if (idle.length > 0)
    throw new ConfigurationError(
      'The command cannot run.',
      idle.map(([field, found]) => ({ field, found: `${found}, beside --kafka`, wanted: 'one of the two' })),
    )
  // The client is loaded only where it is asked for: a plant on an edge box starts without.
  const { kafkaConnectionOf } = await import('@millwright/gateways/kafka')
  return kafkaConnectionOf(flags)
}
