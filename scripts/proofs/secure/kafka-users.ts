import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { AclPermissionTypes, Admin, alterUserScramCredentialsV0, ScramMechanisms } from '@platformatic/kafka'
import { clientOptions, type KafkaConnection } from '../../../packages/gateways/src/kafka/index.ts'
import { eventually } from '../support/proof.ts'
import type { Right } from './guide-rights.ts'

const iterations = 4096
/** Bytes of a SHA-512. */
const saltedBytes = 64

/** Makes users of SASL/SCRAM-SHA-512, and gives them rights. */
export class KafkaUsers {
  readonly #admin: Admin

  /** @param connection Of a user who may do so. */
  constructor(connection: KafkaConnection) {
    this.#admin = new Admin(clientOptions(connection, 'proof-users'))
  }

  async close(): Promise<void> {
    await this.#admin.close()
  }

  /** Makes a user; resolves when every broker knows it. @returns How it reaches Kafka. */
  async add(name: string, password: string, connection: KafkaConnection): Promise<KafkaConnection> {
    const salt = randomBytes(16)
    const saltedPassword = pbkdf2Sync(password, salt, iterations, saltedBytes, 'sha512')
    const { brokers } = await this.#admin.metadata({ topics: [], forceUpdate: true })
    const connections = await this.#admin.connectToBrokers([...brokers.keys()].slice(0, 1))
    const broker = [...connections.values()][0]
    if (broker === undefined) throw new Error('no broker is there')
    const mechanism = ScramMechanisms.SCRAM_SHA_512
    const user = { name, mechanism, iterations, salt, saltedPassword }
    const { results } = await alterUserScramCredentialsV0.api.async(broker, [], [user])
    for (const { errorCode, errorMessage } of results)
      if (errorCode !== 0) throw new Error(`the user ${name} could not be made: ${errorMessage ?? errorCode}`)
    const own: KafkaConnection = { ...connection, sasl: { mechanism: 'SCRAM-SHA-512', username: name, password } }
    for (const server of connection.bootstrapServers)
      await eventually(`${server} knows ${name}`, 60, () => isKnown({ ...own, bootstrapServers: [server] }))
    return own
  }

  async allow(name: string, rights: readonly Right[]): Promise<void> {
    await this.#admin.createAcls({ creations: rights.map((right) => ({ ...right, ...permission(name) })) })
  }

  /** Takes one right away. @throws When the user did not have it. */
  async takeAway(name: string, right: Right): Promise<void> {
    const taken = await this.#admin.deleteAcls({ filters: [{ ...right, ...permission(name) }] })
    if (taken.length !== 1) throw new Error(`${name} had ${taken.length} rights of that kind on ${right.resourceName}`)
  }
}

function permission(name: string) {
  return { principal: `User:${name}`, host: '*', permissionType: AclPermissionTypes.ALLOW }
}

async function isKnown(connection: KafkaConnection): Promise<true | null> {
  const admin = new Admin({ ...clientOptions({ ...connection, timeoutMs: 5_000 }, 'proof-users'), retries: 0 })
  try {
    await admin.metadata({ topics: [], forceUpdate: true })
    return true
  } catch {
    // It is told to each broker by the controller, a moment later.
    return null
  } finally {
    await admin.close()
  }
}
