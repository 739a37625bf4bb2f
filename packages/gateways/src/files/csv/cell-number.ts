/** A number as many programs write it: sign, digits, decimal mark, exponent. No thousands separators. */
const numbers = {
  '.': /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+)?$/,
  ',': /^([+-]?)(\d*)(?:,(\d*))?([eE][+-]?\d+)?$/,
} as const

/**
 * Returns a cell as JSON writes the same number, digit for digit, or `null` when it is not a number.
 *
 * What JSON does not know is put right: a plus sign, a zero missing before or after the decimal mark, leading zeros.
 * Thousands separators are not a number: `1.234` would be either of two values.
 *
 * @param decimal The decimal mark of the file.
 */
export function jsonNumber(cell: string, decimal: '.' | ','): string | null {
  if (decimal === '.' && isPlainDecimal(cell)) return cell
  const match = numbers[decimal].exec(cell)
  if (match === null) return null
  const [, sign = '', whole = '', fraction = '', exponent = ''] = match
  if (whole === '' && fraction === '') return null
  const digits = whole.replace(/^0+(?=\d)/, '') || '0'
  return `${sign === '-' ? '-' : ''}${digits}${fraction === '' ? '' : `.${fraction}`}${exponent}`
}

/** Whether the text is already JSON's own: the common case, told without a regular expression. */
function isPlainDecimal(cell: string): boolean {
  const length = cell.length
  let i = cell.charCodeAt(0) === 45 ? 1 : 0
  const wholeStart = i
  let code = cell.charCodeAt(i)
  while (code >= 48 && code <= 57) code = cell.charCodeAt(++i)
  if (i === wholeStart || (i - wholeStart > 1 && cell.charCodeAt(wholeStart) === 48)) return false
  if (i === length) return true
  if (code !== 46) return false
  const fractionStart = ++i
  code = cell.charCodeAt(i)
  while (code >= 48 && code <= 57) code = cell.charCodeAt(++i)
  return i === length && i > fractionStart
}
