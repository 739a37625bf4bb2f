/** What a text is as a time: epoch milliseconds (before 1970 negative), or why it is none. */
export type IsoTime = number | 'no-zone' | 'not-iso'

const pattern = new RegExp(
  [
    /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)/,
    /[Tt ](?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d+))?)?/,
    /(?:(?<utc>[Zz])|(?<sign>[+-])(?<offsetHour>\d\d)(?::?(?<offsetMinute>\d\d))?)?$/,
  ]
    .map((part) => part.source)
    .join(''),
)

const msPerMinute = 60_000
const msPerDay = 86_400_000
const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]

/**
 * Reads a date and time of ISO 8601's extended format with a zone: `2015-01-05T00:00:00Z`, `2015-01-05 01:00+01:00`.
 *
 * Seconds and their fraction are optional; a fraction is rounded down to the millisecond; `T` may be lower case or a
 * space, the fraction's point a comma; the zone is `Z`, `±hh:mm`, `±hhmm` or `±hh`. No leap second (`:60`), no hour 24, no date alone.
 */
export function parseIsoTime(text: string): IsoTime {
  const parts = pattern.exec(text)?.groups
  if (parts === undefined) return 'not-iso'
  const number = (name: string): number => Number(parts[name] ?? 0)
  const [year, month, day] = [number('year'), number('month'), number('day')]
  const [hour, minute, second] = [number('hour'), number('minute'), number('second')]
  const [offsetHour, offsetMinute] = [number('offsetHour'), number('offsetMinute')]
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return 'not-iso'
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return 'not-iso'
  if (parts['utc'] === undefined && parts['sign'] === undefined) return 'no-zone'

  const milliseconds = Number((parts['fraction'] ?? '').slice(0, 3).padEnd(3, '0'))
  const offsetMinutes = (offsetHour * 60 + offsetMinute) * (parts['sign'] === '-' ? -1 : 1)
  const minutes = hour * 60 + minute - offsetMinutes
  return daysSince1970(year, month, day) * msPerDay + minutes * msPerMinute + second * 1000 + milliseconds
}

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function daysSince1970(year: number, month: number, day: number): number {
  const thisYear = (daysBeforeMonth[month - 1] as number) + (month > 2 && isLeapYear(year) ? 1 : 0) + day - 1
  return (year - 1970) * 365 + leapYearsBefore(year) - leapYearsBefore(1970) + thisYear
}

/** Leap years from year 1 to the one before; of the Gregorian calendar, also before it was in use. */
function leapYearsBefore(year: number): number {
  const last = year - 1
  return Math.floor(last / 4) - Math.floor(last / 100) + Math.floor(last / 400)
}
