import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigurationError, type ConfigurationProblem, type NotifyChannel, type SecretPlace } from '@millwright/core'

/** What a channel needs that is not in the plan. */
export interface ChannelSecrets {
  /** What signs, or the password of its user; `null` where it has neither. */
  readonly password: string | null
  /** PEM of the authorities to trust; `null` for Node's own. */
  readonly ca: string | null
}

/** A key shorter than this does not keep anybody from trying them all. */
const webhookSecretCharactersMin = 16

/**
 * Reads what the channels of a plan need from environment and files.
 *
 * @param directory Of the project: files are relative to it.
 * @returns By the channel's name.
 * @throws {ConfigurationError} With every problem found; no message holds a secret.
 */
export function readSecrets(
  channels: readonly NotifyChannel[],
  directory: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Map<string, ChannelSecrets> {
  const problems: ConfigurationProblem[] = []
  const read = (field: string, path: string, wanted: string): string | null => {
    try {
      return readFileSync(resolve(directory, path), 'utf8')
    } catch (error) {
      problems.push({ field, found: (error as Error).message, wanted })
      return null
    }
  }
  const secrets = new Map<string, ChannelSecrets>()
  for (const [index, channel] of channels.entries()) {
    const field = `notify[${index}]`
    const place = placeOf(channel)
    let password: string | null = null
    if (place !== null) {
      const name = `${field}.${channel.kind === 'webhook' ? 'secret' : 'password'}${place.from === 'file' ? 'File' : 'Env'}`
      password =
        (place.from === 'file'
          ? read(name, place.path, 'a file that can be read')?.split(/\r?\n/, 1)[0]
          : environment[place.name]) ?? null
      const shortest = channel.kind === 'webhook' ? webhookSecretCharactersMin : 1
      if (password === null || password.length < shortest) {
        const where = place.from === 'file' ? `${place.path}, its first line` : `the variable ${place.name}`
        const found =
          password === null || password === '' ? `nothing in ${where}` : `${password.length} characters in ${where}`
        if (place.from === 'environment' || password !== null)
          problems.push({
            field: name,
            found,
            wanted: shortest === 1 ? 'the password' : `a secret of at least ${shortest} characters`,
          })
      }
    }
    const ca = channel.ca === null ? null : read(`${field}.ca`, channel.ca, 'a PEM file')
    secrets.set(channel.name, { password, ca })
  }
  if (problems.length > 0) throw new ConfigurationError('The channels of notifications cannot be opened.', problems)
  return secrets
}

function placeOf(channel: NotifyChannel): SecretPlace | null {
  switch (channel.kind) {
    case 'webhook':
      return channel.secret
    case 'email':
    case 'mqtt':
    case 'kafka':
    case 'alertmanager':
      return channel.login?.password ?? null
  }
}
