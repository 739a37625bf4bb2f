import { randomUUID } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { FlinkRequest } from './flink-http.ts'

/**
 * Returns a jar as the body of an upload: one part named `jarfile`, streamed from its file.
 *
 * Source: RFC 7578; Flink's REST API, `/jars/upload`.
 */
export function jarBody(path: string): NonNullable<FlinkRequest['body']> {
  const boundary = `millwright-${randomUUID()}`
  const name = basename(path).replaceAll(/[^\w.-]/g, '_')
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="jarfile"; filename="${name}"\r\nContent-Type: application/x-java-archive\r\n\r\n`,
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    sizeBytes: head.byteLength + statSync(path).size + tail.byteLength,
    stream: parts(head, path, tail),
  }
}

async function* parts(head: Uint8Array, path: string, tail: Uint8Array): AsyncGenerator<Uint8Array> {
  yield head
  yield* createReadStream(path) as AsyncIterable<Uint8Array>
  yield tail
}
