/** Cryptography that the host gives: plain V8 has none, and this room has no dependency. */
export interface PackageCrypto {
  /** SHA-256 (FIPS 180-4), 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array
  /**
   * Whether an Ed25519 signature (RFC 8032) holds.
   *
   * @param publicKey 32 bytes.
   * @param signature 64 bytes.
   */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

/** Signs packages as they are made. */
export interface PackageSigner {
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array
  /** Returns the Ed25519 signature of the message, 64 bytes. */
  sign(message: Uint8Array): Uint8Array
}
