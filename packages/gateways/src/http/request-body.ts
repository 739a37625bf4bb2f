import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import type { ByteBudget } from './byte-budget.ts'
import { RequestRefusedError } from './problem.ts'

/** A request's body, decompressed, in the pieces in which it came. */
export interface RequestBody {
  readonly chunks: readonly Uint8Array[]
  readonly byteLength: number
  /** Called once, when the bytes are no longer needed. */
  release(): void
}

export interface BodyLimits {
  /** Bytes after decompression. */
  readonly bytesMax: number
  /** Shared by all requests: what they hold together is bounded too. */
  readonly budget: ByteBudget
}

/**
 * Reads the body of a request whole. Decompression stops as soon as the bound is reached, so that a body that expands a
 * thousandfold costs no more than the bound. What is not read of a refused body is left to run out unread, so that the
 * client gets to see the answer.
 *
 * @throws {RequestRefusedError} 413 beyond `bytesMax`; 415 for a content-encoding other than gzip and deflate; 400 when
 * the compressed bytes are damaged or the client goes away; 429 when the budget is spent.
 */
export async function readBody(request: IncomingMessage, { bytesMax, budget }: BodyLimits): Promise<RequestBody> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (!['identity', 'gzip', 'x-gzip', 'deflate'].includes(encoding)) throw unsupportedEncoding(request, encoding)
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge(request, bytesMax)
  const account = openAccount(budget)
  try {
    const chunks: Uint8Array[] = []
    const stream = decompressed(request, encoding)
    let length = 0
    await consume(request, stream, (chunk) => {
      length += chunk.length
      if (length > bytesMax) throw tooLarge(request, bytesMax)
      if (!account.take(chunk.length)) throw busy(request)
      chunks.push(chunk)
    })
    return { chunks, byteLength: length, release: account.close }
  } catch (error) {
    account.close()
    throw error
  }
}

/** The body as one, in memory of its own. */
export function joinBody({ chunks, byteLength }: RequestBody): Uint8Array {
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, byteLength)
}

/** Bodies up to this size are put together in memory that is used again. */
const scratchBytes = 2 * 1024 * 1024

/**
 * Makes what puts bodies together, one after the other: what it answers holds until it is called again. New memory for
 * every body would keep the collector busy.
 */
export function createBodyJoiner(): (body: RequestBody) => Uint8Array {
  let scratch = new Uint8Array(0)
  return (body) => {
    if (body.chunks.length === 1 || body.byteLength > scratchBytes) return joinBody(body)
    if (scratch.length < body.byteLength) scratch = new Uint8Array(Math.min(scratchBytes, 2 * body.byteLength))
    let length = 0
    for (const chunk of body.chunks) {
      scratch.set(chunk, length)
      length += chunk.length
    }
    return scratch.subarray(0, length)
  }
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
