import type { PackageCrypto } from '@millwright/scoring'
import type { HostFunctions } from '../bridge.ts'

/** Hashes and signatures by the host: plain V8 has none. */
export function hostCrypto(host: HostFunctions): PackageCrypto {
  return {
    sha256: (bytes) => bytesOfHex(host.sha256(bytes)),
    verifyEd25519: (publicKey, message, signature) => host.verifyEd25519(publicKey, message, signature),
  }
}

function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}
