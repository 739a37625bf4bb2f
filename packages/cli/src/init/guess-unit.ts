/** Words in channel names, in English and German, and the unit that they mostly come in. First match wins. */
const unitsByWord: readonly (readonly [RegExp, string])[] = [
  [/temp/, '°C'],
  [/vib|schwing/, 'mm/s'],
  [/press|druck/, 'bar'],
  [/volt|spannung/, 'V'],
  [/current|ampere|strom/, 'A'],
  [/torque|drehmoment/, 'N·m'],
  [/rotat|rpm|drehzahl|speed/, '1/min'],
  [/flow|durchfluss/, 'l/min'],
  [/humid|feucht/, '%'],
  [/effici|wirkungsgrad|level|fuellstand|load|last$/, '%'],
  [/energy|energie/, 'kWh'],
  [/power|leistung/, 'kW'],
  [/freq/, 'Hz'],
  [/accel|beschleun/, 'm/s²'],
  [/displace|position|weg$/, 'mm'],
  [/force|kraft/, 'N'],
  [/weight|mass|gewicht/, 'kg'],
  [/noise|sound|schall/, 'dB'],
  [/co2/, 'ppm'],
]

/** Returns the unit that quantities of this name mostly have, or `1` when the name says nothing. A guess. */
export function guessUnit(channelName: string): string {
  const word = plainLetters(channelName).toLowerCase()
  return unitsByWord.find(([pattern]) => pattern.test(word))?.[1] ?? '1'
}

/** What a column's header says, taken apart: `Öl-Temp. 1 [°C]` is the channel `oelTemp1` in `°C`. */
export interface NamedColumn {
  /** Allowed as the name of a channel; the header itself where it is. */
  readonly channel: string
  /** Written in brackets behind the name; `null` where it is not. */
  readonly unit: string | null
}

const channelName = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_.-]*$/
const nameLengthMax = 48

/** Whether a text may be the name of a channel as it stands. */
export function isChannelName(text: string): boolean {
  return channelName.test(text) && text.length <= nameLengthMax && text !== 'deviceId' && text !== 'timestamp'
}

/** @param header Cell of a header. @param taken Names that other columns have. */
export function nameColumn(header: string, taken: ReadonlySet<string>): NamedColumn {
  const bracket = /^(.*\S)\s*[[(]([^\])]{1,24})[\])]\s*$/.exec(header)
  const unit = bracket?.[2]?.replace(/\s/g, '').slice(0, 16) ?? null
  const text = bracket?.[1] ?? header
  return { channel: unused(isChannelName(text) ? text : camelCase(text), taken), unit: unit === '' ? null : unit }
}

function camelCase(text: string): string {
  const words = plainLetters(text)
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
  const joined = words
    .map((word, index) => (index === 0 ? word.charAt(0).toLowerCase() : word.charAt(0).toUpperCase()) + word.slice(1))
    .join('')
    .slice(0, nameLengthMax - 4)
  return isChannelName(joined) ? joined : `channel${joined}`
}

function unused(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name
  for (let number = 2; ; number++) if (!taken.has(`${name}${number}`)) return `${name}${number}`
}

const umlauts: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue', Ä: 'Ae', Ö: 'Oe', Ü: 'Ue', ß: 'ss' }

/** Letters without marks, so that names can be typed on any keyboard. */
export function plainLetters(text: string): string {
  return text
    .replace(/[äöüÄÖÜß]/g, (letter) => umlauts[letter] ?? letter)
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
}
