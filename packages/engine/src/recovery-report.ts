/** What an engine found when it was opened, per partition. */
export interface PartitionRecovery {
  readonly partition: number
  /** Offset of the first record that is processed now. */
  readonly processedFrom: number
  /** Offset of the next record that will be appended. */
  readonly endOffset: number
  /** Sequence of the snapshot that was used; `null` when there was none. */
  readonly snapshot: number | null
  /** Identity of the state that was found and not used, since plan or code have changed; `null` when it was used. */
  readonly previousIdentity: string | null
  /** Why a newer snapshot could not be used, and an older one was. */
  readonly snapshotDamage: string | null
  /** Bytes of writes that a crash had cut short, taken off. None of them was acknowledged. */
  readonly tornInputBytes: number
  readonly tornOutputBytes: number
}

export interface RecoveryReport {
  readonly partitions: readonly PartitionRecovery[]
  /** Publications that had not reached every partition and do now. */
  readonly activationsCompleted: number
}
