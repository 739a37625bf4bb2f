import type { ConfigurationProblem, NotifyChannel, NotifyChannelBase, SecretPlace } from '@millwright/core'
import { caseChanges } from '@millwright/core'
import { printValue } from './check-feature.ts'
import { type ParsedChannel, secretPlace } from './notify-schema.ts'

/** Rules between the fields of the channels of notifications, and what becomes of them in the plan. */

/** Says what is wrong between the fields of the channels; nothing where they can be built. */
export function notifyProblems(channels: readonly ParsedChannel[]): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  const names = new Set<string>()
  for (const [index, channel] of channels.entries()) {
    const report = (field: string, found: unknown, wanted: string): void => {
      problems.push({ field: `notify[${index}].${field}`, found: printValue(found), wanted })
    }
    if (names.has(channel.name))
      report('name', channel.name, 'a name that no other channel has: it names what is saved of it')
    names.add(channel.name)
    for (const { field, value, host } of openRoutes(channel))
      if (!channel.insecure && !isLoopback(host))
        report(field, value, 'an encrypted connection, a peer on this machine, or insecure: true')
    if (channel.kind === 'webhook' && secretPlace(channel.secretEnv, channel.secretFile) === null)
      problems.push({
        field: `notify[${index}].secretEnv`,
        found: bothOrNone(channel.secretEnv),
        wanted: 'secretEnv or secretFile: where the secret is that signs',
      })
    if (channel.kind !== 'webhook') problems.push(...loginProblems(channel, index))
    if (channel.kind === 'mqtt' && !channel.topic.includes('{device}'))
      report('topic', channel.topic, 'a topic with {device} in it')
  }
  return problems
}

/** Makes the plan's nodes. The channels have no {@link notifyProblems}. */
export function notifyChannels(channels: readonly ParsedChannel[]): NotifyChannel[] {
  return channels.map(channelNode)
}

function channelNode(parsed: ParsedChannel): NotifyChannel {
  const base: NotifyChannelBase = {
    name: parsed.name,
    // What stands at an Alertmanager follows from every change.
    on: parsed.kind === 'alertmanager' ? caseChanges : parsed.on,
    minSeverity: parsed.minSeverity,
    devices: parsed.devices,
    maxAgeMs: parsed.maxAge,
    since: parsed.since,
    ca: parsed.ca ?? null,
    insecure: parsed.insecure,
  }
  switch (parsed.kind) {
    case 'webhook':
      return { kind: 'webhook', ...base, url: parsed.url, secret: placeOf(parsed.secretEnv, parsed.secretFile) }
    case 'email': {
      const { host, security, from, to } = parsed
      const port = parsed.port ?? (security === 'tls' ? 465 : 587)
      return {
        kind: 'email',
        ...base,
        host,
        port,
        security,
        login: loginOf(parsed),
        from,
        to,
        atMostEveryMs: parsed.atMostEvery,
      }
    }
    case 'mqtt': {
      const { url, topic, protocol } = parsed
      return { kind: 'mqtt', ...base, url, topic, protocol, login: loginOf(parsed) }
    }
    case 'kafka': {
      const { servers, topic, mechanism } = parsed
      const login = loginOf(parsed)
      return {
        kind: 'kafka',
        ...base,
        servers,
        topic,
        tls: isTls(parsed),
        login: login === null ? null : { ...login, mechanism },
      }
    }
    case 'alertmanager':
      return {
        kind: 'alertmanager',
        ...base,
        urls: parsed.urls,
        login: loginOf(parsed),
        repeatEveryMs: parsed.repeatEvery,
      }
  }
}

type WithLogin = Exclude<ParsedChannel, { kind: 'webhook' }>

function loginProblems(channel: WithLogin, index: number): ConfigurationProblem[] {
  const { user, passwordEnv, passwordFile } = channel
  const given = passwordEnv !== undefined || passwordFile !== undefined
  const field = `notify[${index}]`
  if (user === undefined)
    return given
      ? [{ field: `${field}.user`, found: 'a password and no user', wanted: 'the name that the password belongs to' }]
      : []
  if (secretPlace(passwordEnv, passwordFile) !== null) return []
  const wanted = 'passwordEnv or passwordFile: where the password of the user is'
  return [{ field: `${field}.passwordEnv`, found: bothOrNone(passwordEnv), wanted }]
}

function loginOf({ user, passwordEnv, passwordFile }: WithLogin): { user: string; password: SecretPlace } | null {
  return user === undefined ? null : { user, password: placeOf(passwordEnv, passwordFile) }
}

function placeOf(name: string | undefined, path: string | undefined): SecretPlace {
  return secretPlace(name, path) ?? { from: 'environment', name: name ?? '' }
}

function bothOrNone(name: string | undefined): string {
  return name === undefined ? 'neither of the two' : 'both of the two'
}

/** The peers that a channel talks to without encryption. */
function openRoutes(channel: ParsedChannel): { field: string; value: string; host: string }[] {
  switch (channel.kind) {
    case 'webhook':
    case 'mqtt':
      return isOpen(channel.url) ? [{ field: 'url', value: channel.url, host: hostOf(channel.url) }] : []
    case 'alertmanager':
      return channel.urls
        .map((value, index) => ({ field: `urls[${index}]`, value, host: hostOf(value) }))
        .filter(({ value }) => isOpen(value))
    case 'email':
      return channel.security === 'none' ? [{ field: 'security', value: 'none', host: channel.host }] : []
    case 'kafka':
      return isTls(channel)
        ? []
        : channel.servers.map((value, index) => ({
            field: `servers[${index}]`,
            value,
            host: value.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''),
          }))
  }
}

function isTls({ tls, ca }: Extract<ParsedChannel, { kind: 'kafka' }>): boolean {
  return tls ?? ca !== undefined
}

function isOpen(url: string): boolean {
  return url.startsWith('http://') || url.startsWith('mqtt://')
}

/** Of an address that the schema took: `scheme://HOST[:PORT][/…]`. */
function hostOf(url: string): string {
  const match = /^[a-z]+:\/\/(?:\[([^\]]+)\]|([^/:?]+))/.exec(url)
  return match?.[1] ?? match?.[2] ?? ''
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
