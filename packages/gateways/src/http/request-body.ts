import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import type { MemoryPool } from '../memory-pool.ts'
import type { ByteBudget } from './byte-budget.ts'
import { RequestRefusedError } from './problem.ts'

/** A request's body, decompressed. */
export interface RequestBody {
  readonly bytes: Uint8Array
  /** Called once, when the bytes are no longer needed: their memory is used again. */
  release(): void
}

export interface BodyLimits {
  /** Bytes after decompression. */
  readonly bytesMax: number
  /** Shared by all requests: what they hold together is bounded too. */
  readonly budget: ByteBudget
  readonly memory: MemoryPool
}

/**
 * Reads the body of a request whole. Decompression stops as soon as the bound is reached, so that a body that expands a
 * thousandfold costs no more than the bound. What is not read of a refused body is left to run out unread, so that the
 * client gets to see the answer.
 *
 * @throws {RequestRefusedError} 413 beyond `bytesMax`; 415 for a content-encoding other than gzip and deflate; 400 when
 * the compressed bytes are damaged or the client goes away; 429 when the budget is spent.
 */
export async function readBody(
  request: IncomingMessage,
  { bytesMax, budget, memory }: BodyLimits,
): Promise<RequestBody> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (!['identity', 'gzip', 'x-gzip', 'deflate'].includes(encoding)) throw unsupportedEncoding(request, encoding)
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge(request, bytesMax)
  const account = openAccount(budget)
  let bytes = memory.take(firstBytes)
  const release = (): void => {
    account.close()
    memory.give(bytes)
  }
  try {
    const stream = decompressed(request, encoding)
    let length = 0
    await consume(request, stream, (chunk) => {
      const lengthAfter = length + chunk.length
      if (lengthAfter > bytesMax) throw tooLarge(request, bytesMax)
      if (!account.take(chunk.length)) throw busy(request)
      if (lengthAfter > bytes.length) {
        const grown = memory.take(Math.max(lengthAfter, 2 * bytes.length))
        grown.set(bytes.subarray(0, length))
        memory.give(bytes)
        bytes = grown
      }
      bytes.set(chunk, length)
      length = lengthAfter
      if (stream === request) giveBack(chunk)
    })
    return { bytes: bytes.subarray(0, length), release }
  } catch (error) {
    release()
    throw error
  }
}

/** Room for one piece as Node reads it from a socket. It grows with what comes, not with what a header announces. */
const firstBytes = 64 * 1024

/**
 * Gives the memory of a piece back at once, where it is the piece's alone. The collector would be called for its sake: at full
 * speed it spent a fifth of the plant's time on looking through everything else.
 */
function giveBack(chunk: Uint8Array): void {
  const { buffer } = chunk
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) buffer.transfer(0)
}

function openAccount(budget: ByteBudget): { take(byteLength: number): boolean; close(): void } {
  let taken = 0
  return {
    take(byteLength) {
      if (!budget.take(byteLength)) return false
      taken += byteLength
      return true
    },
    close() {
      budget.give(taken)
      taken = 0
    },
  }
}

/** Feeds every chunk to `onChunk` until the end; what that throws stops the reading. */
function consume(request: IncomingMessage, stream: Readable, onChunk: (chunk: Uint8Array) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (settle: () => void): void => {
      stream.off('data', onData).off('end', onEnd).off('error', onError)
      request.off('close', onClose)
      if (stream !== request) {
        request.unpipe()
        stream.on('error', ignoreLateError).destroy()
      }
      request.resume()
      settle()
    }
    const onData = (chunk: Uint8Array): void => {
      try {
        onChunk(chunk)
      } catch (error) {
        stop(() => reject(error))
      }
    }
    const onEnd = (): void => stop(resolve)
    const onError = (error: Error): void =>
      stop(() =>
        reject(stream === request ? clientGone(error) : damaged(`The compressed body is damaged: ${error.message}.`)),
      )
    const onClose = (): void => {
      if (!request.complete) stop(() => reject(clientGone()))
    }
    request.on('close', onClose)
    stream.on('data', onData).on('end', onEnd).on('error', onError)
  })
}

/** `deflate` is zlib's format (RFC 1950), as RFC 9110 section 8.4.1.2 has it. */
function decompressed(request: IncomingMessage, encoding: string): Readable {
  if (encoding === 'identity') return request
  return request.pipe(encoding === 'deflate' ? createInflate() : createGunzip())
}

/** A decompressor that was given up may still fail at what it was doing. */
function ignoreLateError(): undefined {
  return undefined
}

function tooLarge(request: IncomingMessage, bytesMax: number): RequestRefusedError {
  request.resume()
  const detail = `A request may hold ${bytesMax} bytes, decompressed. Send several smaller ones.`
  return new RequestRefusedError({ status: 413, code: 'body-too-large', title: 'The request is too large', detail })
}

function unsupportedEncoding(request: IncomingMessage, encoding: string): RequestRefusedError {
  request.resume()
  const detail = `found content-encoding "${encoding}", wanted gzip, deflate or none`
  return new RequestRefusedError({
    status: 415,
    code: 'content-encoding-unsupported',
    title: 'The compression is not supported',
    detail,
  })
}

function busy(request: IncomingMessage): RequestRefusedError {
  request.resume()
  const detail = 'The requests in flight hold as many bytes as the plant takes at once.'
  return new RequestRefusedError({
    status: 429,
    code: 'busy',
    title: 'The plant has to catch up first',
    detail,
    retryAfterS: 1,
  })
}

function damaged(detail: string): RequestRefusedError {
  return new RequestRefusedError({ status: 400, code: 'body-damaged', title: 'The body cannot be read', detail })
}

function clientGone(cause?: unknown): RequestRefusedError {
  const detail = 'The client went away before the end of its request.'
  return new RequestRefusedError({ status: 400, code: 'client-gone', title: 'The request ended early', detail }, cause)
}
