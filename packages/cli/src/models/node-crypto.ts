import { createHash, createPublicKey, verify } from 'node:crypto'

/** DER prefix of an Ed25519 public key (RFC 8410, section 4): what follows are its 32 bytes. */
const ed25519Prefix = Buffer.from('302a300506032b6570032100', 'hex')

/** The hashes and signatures that the pure rooms ask their host for. */
export const nodeCrypto = {
  sha256(bytes: Uint8Array): Uint8Array {
    return createHash('sha256').update(bytes).digest()
  },
  /** @param publicKey 32 bytes. @returns False also when the key is no point of the curve. */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    try {
      const key = createPublicKey({ key: Buffer.concat([ed25519Prefix, publicKey]), format: 'der', type: 'spki' })
      return verify(null, message, key, signature)
    } catch (error) {
      if (error instanceof Error && 'code' in error) return false
      throw error
    }
  },
}
