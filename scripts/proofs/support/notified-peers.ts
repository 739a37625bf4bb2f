import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { freePort } from './free-port.ts'

/** Peers of notification channels on the loopback, which keep what they took, and fail as a proof says. */

/** A peer that can go away and come back at the same port. */
export interface Peer {
  readonly port: number
  /** Ids of the changes that it took, copies included, in order. */
  readonly taken: string[]
  /** Nobody listens any more, and who is connected is cut off. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

/** How a receiver answers one request. */
export type Answer = 'take' | 'error' | 'busy' | 'refuse' | 'cut' | 'cut-in-the-answer' | 'never'

/** A receiver of webhooks, which checks signatures as the guide tells receivers to. */
export interface Receiver extends Peer {
  /** What the next requests are answered with, before `otherwise`. */
  readonly answers: Answer[]
  /** Says how a change is answered when no other answer is due. Default: it is taken. */
  otherwise: (id: string) => Answer
  /** Before each answer, milliseconds. */
  slownessMs: number
  /** The body of each id as it first came; a copy with another one is in `changedCopies`. */
  readonly bodies: Map<string, string>
  readonly changedCopies: string[]
  /** Requests without a valid signature, or whose `idempotency-key` is not the id. */
  badRequests: number
}

export async function startReceiver(secret: string): Promise<Receiver> {
  const port = await freePort()
  let server: Server | null = null
  const receiver: Receiver = {
    port,
    taken: [],
    answers: [],
    otherwise: () => 'take',
    slownessMs: 0,
    bodies: new Map(),
    changedCopies: [],
    badRequests: 0,
    async goAway() {
      server?.closeAllConnections()
      server?.close()
      server = null
    },
    async comeBack() {
      server = createServer((request, response) => {
        let body = ''
        request.setEncoding('utf8').on('data', (part: string) => {
          body += part
        })
        request.on('end', () => setTimeout(() => answer(request.headers, body, response), receiver.slownessMs))
      })
      await once(server.listen(port, '127.0.0.1'), 'listening')
    },
  }

  function answer(headers: IncomingHttpHeaders, body: string, response: ServerResponse): void {
    const { id } = JSON.parse(body) as { id: string }
    const isSigned = isSignature(secret, headers, body) && headers['idempotency-key'] === id
    if (!isSigned) receiver.badRequests += 1
    switch (receiver.answers.shift() ?? receiver.otherwise(id)) {
      case 'take': {
        const before = receiver.bodies.get(id)
        if (before !== undefined && before !== body) receiver.changedCopies.push(id)
        receiver.bodies.set(id, before ?? body)
        receiver.taken.push(id)
        response.writeHead(204).end()
        return
      }
      case 'error':
        response.writeHead(500).end(`it was sent ${secret}`)
        return
      case 'busy':
        response.writeHead(429, { 'retry-after': '2' }).end()
        return
      case 'refuse':
        response.writeHead(422).end('no such machine')
        return
      case 'cut':
        response.socket?.destroy()
        return
      case 'cut-in-the-answer':
        response.writeHead(200, { 'content-length': '1000' }).write('the beginning')
        setImmediate(() => response.socket?.destroy())
        return
      case 'never':
        return
    }
  }

  await receiver.comeBack()
  return receiver
}

function isSignature(secret: string, headers: IncomingHttpHeaders, body: string): boolean {
  const wanted = createHmac('sha256', secret)
    .update(`${String(headers['millwright-timestamp'])}.${body}`)
    .digest()
  const given = Buffer.from(String(headers['millwright-signature']).replace(/^v1=/, ''), 'hex')
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/** A mail server that takes every mail. */
export interface MailServer extends Peer {
  /** Source of each mail. */
  readonly mails: string[]
}

export async function startMailServer(): Promise<MailServer> {
  const port = await freePort()
  let server: SMTPServer | null = null
  const peer: MailServer = {
    port,
    taken: [],
    mails: [],
    goAway: () =>
      new Promise((resolve) => {
        if (server === null) resolve()
        else server.close(() => resolve())
        server = null
      }),
    async comeBack() {
      server = new SMTPServer({ disabledCommands: ['STARTTLS', 'AUTH'], onData: keep })
      server.listen(port, '127.0.0.1')
      await once(server.server, 'listening')
    },
  }
  const keep: NonNullable<SMTPServerOptions['onData']> = (stream, _session, told) => {
    let text = ''
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    stream.on('end', () => {
      peer.mails.push(text)
      // An id stands on a line of its own.
      for (const match of text.matchAll(/^ {2}(\S+@\d+#\d+)\r?$/gm)) peer.taken.push(match[1] ?? '')
      told()
    })
  }
  await peer.comeBack()
  return peer
}
