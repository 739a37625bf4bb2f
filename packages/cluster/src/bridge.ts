/**
 * The border between the Java host and the script that runs in V8: docs/formats/bridge.md. The same names in the same order as in
 * `java/…/Bridge.java`; the golden vectors in fixtures/bridge hold both to it. All numbers are little-endian.
 */

/** Compared when a host opens a guest; a guest of another version is refused. */
export const bridgeVersion = 4

/** Most records of one bundle: each column in the input buffer has room for as many. */
export const bundleRecordsMax = 8192
/** Where a bundle stands in the input buffer: three columns, then the lines. */
export const appendTimesOffset = 0
export const offsetsOffset = appendTimesOffset + 8 * bundleRecordsMax
export const placesOffset = offsetsOffset + 8 * bundleRecordsMax
export const linesOffset = placesOffset + 4 * bundleRecordsMax
/** Length of each of the two buffers. */
export const bufferBytes = 8 * 1024 * 1024
/**
 * At the end of the result buffer: a uint32 that the guest raises before and after each call of a project's function. The host may look at it at
 * any time: odd and unchanged, that call is under way.
 */
export const projectCallsOffset = bufferBytes - 8

/** Head of a bundle between the host's two operators. */
export const bundleHeadBytes = 16

/** A place holds the index of the input topic above these bits, the partition in them. */
export const placePartitionBits = 16

/** Head of a frame: kind and flags, then the length of the payload. */
export const frameHeadBytes = 8
/** Set in a frame whose payload goes on in the next one. */
export const frameContinued = 0x100

/** Kinds of frame. Those below 16 go to the guest, the others come from it. */
export const frameKey = 1
export const frameState = 2
export const frameControl = 3
export const frameRefusedKey = 4
export const frameMore = 16
export const frameFailure = 17
export const frameUnknownKey = 18
export const frameOutput = 19
export const frameStateWrite = 20
export const frameTimer = 21
export const frameCounters = 22

/** What the keys of `keys` and `act` are for. */
export const purposeTimer = 0
export const purposeEnd = 1

/** The functions of a guest, in the object `millwright` of its global scope. Each but `version` answers the bytes of its frames. */
export interface GuestFunctions {
  version(): number
  /** Takes the two buffers; the input holds `byteLength` bytes of configuration as JSON. */
  open(input: ArrayBuffer, result: ArrayBuffer, byteLength: number): number
  /** Takes the control records in the input, in their order. */
  control(byteLength: number): number
  /** Looks at the bundle in the input: answers the keys whose states are wanted. */
  prepare(recordCount: number, lineBytes: number): number
  /** Looks at the keys in the input: answers those whose states are wanted. */
  keys(byteLength: number, purpose: number): number
  /** Takes states in the input. The last call holds the last state that was wanted. */
  states(byteLength: number): number
  /** Processes the bundle of the last `prepare`, which is taken from the input once more. */
  process(recordCount: number, lineBytes: number): number
  /** Acts on the keys of the last `keys`. */
  act(nowMs: number): number
  /** No record appended before `nowMs` is to come. */
  timeCame(nowMs: number): number
  /** Hands over changed states, as many as `countMax`; answers no frame where there are none left. */
  writeBack(countMax: number): number
  counters(): number
  /**
   * The host has ended a call in which a project's function did not come back: puts its record or timer back, goes on with the rest, and answers as
   * that call would have.
   */
  resume(why: string): number
  /** What was under way when the host ended a call, as JSON: see `GuestAtHand`. Changes nothing. */
  atHand(): string
  /** Goes on with the frames that did not fit. */
  more(): number
  /** Puts the places of the sources into a stack trace. */
  explain(stack: string, sourceMap: string): string
}

/** What the host gives a guest, in the object `millwrightHost` of its global scope. */
export interface HostFunctions {
  /** SHA-256 as lower-case hexadecimal. */
  sha256(bytes: Uint8Array): string
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

/** What a guest is told when it is opened. */
export interface GuestConfiguration {
  /** Which of the parallel guests it is: the first one speaks for all where all see the same. */
  readonly subtask: number
  /** Input topics, in the order of the places' indices. */
  readonly inputs: readonly string[]
  /** Output topics, in the order that an output's index means. */
  readonly outputs: readonly string[]
  /** Most keys that are held between two calls. */
  readonly cacheKeysMax: number
  /** Most keys that may be changed and not written back between two calls. */
  readonly dirtyKeysMax: number
}

/** The failure frame, as JSON. `topic`, `partition` and `offset` are `null` where no record is to blame. */
export interface GuestFailure {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: number | null
}

/** What `atHand` tells. `null` where nothing of that kind was under way. */
export interface GuestAtHand extends Pick<GuestFailure, 'topic' | 'partition' | 'offset'> {
  /** Which feature, device and window a project's function was called for. */
  readonly where: string | null
  /** Text of that function, as it stands in the script. */
  readonly functionText: string | null
}
