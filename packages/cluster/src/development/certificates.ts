import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterFolder } from './cluster-folder.ts'
import { runTool } from './run-tool.ts'
import type { Toolchain } from './toolchain.ts'

/** Ten years: a test cluster should not fail on a date. */
const validityDays = '3650'

/** The certificate of the cluster's own authority, PEM: what a client trusts. */
export function authorityPath(folder: ClusterFolder): string {
  return join(folder.certificates, 'authority.pem')
}

/** The server's key and certificate, PKCS #12. */
export function keyStorePath(folder: ClusterFolder): string {
  return join(folder.certificates, 'server.p12')
}

/** The authority's certificate for Java, PKCS #12. */
export function trustStorePath(folder: ClusterFolder): string {
  return join(folder.certificates, 'trust.p12')
}

/**
 * Makes an authority of the cluster's own, and a certificate by it for 127.0.0.1 and localhost, where they are not there yet.
 * All by the JDK's `keytool`, since Node makes no certificates and a JDK is there in any case.
 *
 * @throws {ArtifactError} With the tool's words.
 */
export async function ensureCertificates(folder: ClusterFolder, toolchain: Toolchain, password: string): Promise<void> {
  if (existsSync(folder.certificates)) return
  const unfinished = `${folder.certificates}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true, mode: 0o700 })
  const keytool = (...args: string[]): Promise<string> =>
    runTool(toolchain.keytool, [...args, '-storepass:env', 'MILLWRIGHT_STORE_PASSWORD'], {
      what: 'make certificates',
      environment: { MILLWRIGHT_STORE_PASSWORD: password },
      workFolder: unfinished,
    })
  const authority = ['-keystore', 'authority.p12', '-storetype', 'PKCS12', '-alias', 'authority']
  const server = ['-keystore', 'server.p12', '-storetype', 'PKCS12', '-alias', 'server']
  const key = ['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', validityDays]
  await keytool(...key, ...authority, '-dname', 'CN=Millwright development authority', '-ext', 'bc:critical=ca:true')
  await keytool(...key, ...server, '-dname', 'CN=localhost')
  await keytool('-exportcert', '-rfc', ...authority, '-file', 'authority.pem')
  await keytool('-certreq', ...server, '-file', 'server.csr')
  await keytool(
    ...['-gencert', '-rfc', ...authority, '-infile', 'server.csr', '-outfile', 'server.pem', '-validity', validityDays],
    ...['-ext', 'san=ip:127.0.0.1,dns:localhost', '-ext', 'eku=serverAuth,clientAuth'],
  )
  const trusted = ['-importcert', '-noprompt', '-storetype', 'PKCS12', '-alias', 'authority', '-file', 'authority.pem']
  await keytool(...trusted, '-keystore', 'trust.p12')
  await keytool(...trusted, '-keystore', 'server.p12')
  await keytool('-importcert', '-noprompt', ...server, '-file', 'server.pem')
  writeFileSync(join(unfinished, 'README'), 'Made for tests of one development cluster. Trust it nowhere else.\n')
  renameSync(unfinished, folder.certificates)
}
