import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { ConfigurationError, MillwrightError } from '@millwright/core'
import { type ControlAnswer, type ControlRequest, controlPath } from './control-protocol.ts'

/** The running plant refused or failed; its own code and message. */
export class PlantAnsweredError extends MillwrightError {
  readonly code: string
  readonly retry = 'never'

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Asks the plant that runs on a data folder to do something.
 *
 * @returns Its result; `null` where no plant runs there, so that the caller can open the folder itself.
 * @throws {PlantAnsweredError}
 */
export async function askPlant(
  dataDirectory: string,
  request: ControlRequest,
  onProgress: (done: number, readings: number) => void = () => undefined,
): Promise<{ readonly result: unknown } | null> {
  if (!existsSync(dataDirectory)) return null
  const socket = connect(controlPath(dataDirectory))
  const connected = await new Promise<boolean>((resolve, reject) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // No socket, or one that a crash left: nobody listens.
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(false)
      else if (error.code === 'EACCES')
        reject(
          new ConfigurationError('The plant that runs there cannot be reached.', [
            { field: '--data', found: dataDirectory, wanted: 'a data folder of your own user' },
          ]),
        )
      else reject(error)
    })
  })
  if (!connected) return null
  socket.write(`${JSON.stringify(request)}\n`)
  socket.setEncoding('utf8')
  let rest = ''
  for await (const part of socket) {
    const lines = (rest + String(part)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const answer = JSON.parse(line) as ControlAnswer
      switch (answer.kind) {
        case 'progress':
          onProgress(answer.done, answer.readings)
          break
        case 'result':
          return { result: answer.result }
        case 'error':
          throw new PlantAnsweredError(answer.code, answer.message)
      }
    }
  }
  throw new PlantAnsweredError('PLANT_STOPPED', 'The plant stopped before it had answered: start it and try again')
}
