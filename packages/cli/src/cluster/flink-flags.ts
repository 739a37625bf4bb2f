import { readFileSync } from 'node:fs'
import { FlinkClient } from '@millwright/cluster'
import { ConfigurationError } from '@millwright/core'
import type { Command } from 'commander'

/** How Flink's REST API is reached, as the commands of the cluster take it. */
export interface FlinkFlags {
  readonly flink?: string
  readonly flinkCa?: string
  readonly flinkUser?: string
  readonly flinkPasswordFile?: string
}

/** Adds the flags. Each may come from the environment; a password never stands in an argument. */
export function addFlinkFlags(command: Command): Command {
  return command
    .option('--flink <url>', "Flink's REST API, as http://127.0.0.1:8081 (or MILLWRIGHT_FLINK)")
    .option('--flink-ca <file>', 'PEM certificates that are trusted for https')
    .option('--flink-user <name>', 'user, where a proxy before Flink asks for one')
    .option('--flink-password-file <file>', 'file with the password (or MILLWRIGHT_FLINK_PASSWORD)')
}

/**
 * Opens a client, hands it to `use`, and closes it.
 *
 * @throws {ConfigurationError} When no URL is given, or a file cannot be read.
 */
export async function withFlink<T>(
  flags: FlinkFlags,
  use: (flink: FlinkClient) => Promise<T>,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<T> {
  const url = flags.flink ?? environment['MILLWRIGHT_FLINK']
  if (url === undefined || url === '')
    throw new ConfigurationError('Flink is not named.', [
      { field: '--flink', found: 'nothing', wanted: "the URL of Flink's REST API, as http://127.0.0.1:8081" },
    ])
  const password =
    flags.flinkPasswordFile === undefined
      ? environment['MILLWRIGHT_FLINK_PASSWORD']
      : textOf('--flink-password-file', flags.flinkPasswordFile).replace(/\r?\n$/, '')
  if (flags.flinkUser !== undefined && password === undefined)
    throw new ConfigurationError('Flink cannot be asked.', [
      {
        field: '--flink-password-file',
        found: 'nothing, beside --flink-user',
        wanted: 'a file with the password, or MILLWRIGHT_FLINK_PASSWORD',
      },
    ])
  const flink = new FlinkClient({
    url,
    ...(flags.flinkCa === undefined ? {} : { authority: textOf('--flink-ca', flags.flinkCa) }),
    ...(flags.flinkUser === undefined || password === undefined ? {} : { user: { name: flags.flinkUser, password } }),
  })
  try {
    return await use(flink)
  } finally {
    await flink.close()
  }
}

function textOf(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigurationError(
      'A file cannot be read.',
      [{ field: flag, found: file, wanted: 'a file that this user may read' }],
      error,
    )
  }
}
