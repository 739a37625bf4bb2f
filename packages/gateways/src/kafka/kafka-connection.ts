import type { BaseOptions } from '@platformatic/kafka'

/** How brokers are reached: the same for every client of ours. */
export interface KafkaConnection {
  /** `HOST:PORT` of some brokers; the rest are learnt from them. */
  readonly bootstrapServers: readonly string[]
  /** TLS with these certificates trusted, PEM; `authority` left out: those that Node trusts. No `tls`: in the clear. */
  readonly tls?: {
    readonly authority?: string
    /** Our certificate and key, PEM, where brokers want one of clients. */
    readonly certificate?: { readonly certificate: string; readonly key: string }
  }
  readonly sasl?: {
    readonly mechanism: 'SCRAM-SHA-512' | 'SCRAM-SHA-256' | 'PLAIN'
    readonly username: string
    readonly password: string
  }
  /** Of one request, milliseconds. Default 30,000. */
  readonly timeoutMs?: number
}

/** Returns the options of a client of `@platformatic/kafka`. */
export function clientOptions(connection: KafkaConnection, clientId: string): BaseOptions {
  const { tls, sasl } = connection
  const timeoutMs = connection.timeoutMs ?? 30_000
  return {
    clientId,
    bootstrapBrokers: [...connection.bootstrapServers],
    timeout: timeoutMs,
    connectTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    retries: 2,
    autocreateTopics: false,
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...(tls.authority === undefined ? {} : { ca: tls.authority }),
            ...(tls.certificate === undefined ? {} : { cert: tls.certificate.certificate, key: tls.certificate.key }),
          },
        }),
    ...(sasl === undefined ? {} : { sasl }),
  }
}
