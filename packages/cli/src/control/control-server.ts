import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { MillwrightError } from '@millwright/core'
import { type ControlAnswer, type ControlRequest, controlPath, requestCharactersMax } from './control-protocol.ts'

/** Does what a request asks; may tell of progress. What it returns is the result. */
export type ControlHandler = (
  request: ControlRequest,
  onProgress: (done: number, readings: number) => void,
) => Promise<unknown>

/** Listens for commands to a running plant. @returns What ends it. */
export async function startControlServer(dataDirectory: string, handle: ControlHandler): Promise<() => Promise<void>> {
  const path = controlPath(dataDirectory)
  // The folder is locked by us: a socket that is still there is what a crash left.
  if (process.platform !== 'win32') rmSync(path, { force: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // The other side went away; what it asked for goes on.
    socket.on('error', () => socket.destroy())
    void serve(socket, handle)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  if (process.platform !== 'win32') chmodSync(path, 0o600)
  return async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
}

async function serve(socket: Socket, handle: ControlHandler): Promise<void> {
  const answer = (message: ControlAnswer): void => void socket.write(`${JSON.stringify(message)}\n`)
  try {
    const request = await readRequest(socket)
    const result = await handle(request, (done, readings) => answer({ kind: 'progress', done, readings }))
    answer({ kind: 'result', result })
  } catch (error) {
    const code = error instanceof MillwrightError ? error.code : 'INTERNAL'
    answer({ kind: 'error', code, message: error instanceof Error ? error.message : String(error) })
  }
  socket.end()
}

function readRequest(socket: Socket): Promise<ControlRequest> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('close', () => reject(new Error('the connection ended before the request did')))
    socket.on('data', (part: string) => {
      text += part
      const end = text.indexOf('\n')
      if (end < 0 && text.length <= requestCharactersMax) return
      socket.pause()
      try {
        resolve(JSON.parse(text.slice(0, end)) as ControlRequest)
      } catch (error) {
        reject(error)
      }
    })
  })
}
