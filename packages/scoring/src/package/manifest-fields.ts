import { ModelPackageError } from './package-error.ts'

/** Reads the fields of one object of a manifest; each method throws a {@link ModelPackageError} that names the field. */
export interface Fields {
  isNull(field: string): boolean
  string(field: string): string
  oneOf<Choice extends string>(field: string, choices: readonly Choice[]): Choice
  /** 64 lower-case hexadecimal digits. */
  sha256(field: string): string
  /** A finite number. */
  number(field: string): number
  /** A finite float32, as its nearest decimal has it. */
  float32(field: string): number
  count(field: string): number
  float32s(field: string, countMax: number): number[]
  /** Like `float32s`; `null` becomes NaN. */
  float32sOrMissing(field: string, countMax: number): Float32Array
  counts(field: string, countMax: number): number[]
  numbersByName(field: string): Record<string, number | null>
  object(field: string): Fields
  objects(field: string, countMin: number, countMax: number): Fields[]
  /** The error for a field that is there but is not what is wanted. */
  wrong(field: string, wanted: string): ModelPackageError
}

/** @param path Of the object, for messages; '' for the manifest itself. */
export function fieldReader(value: unknown, path: string): Fields {
  const pathOf = (field: string): string => (path === '' ? field : `${path}.${field}`)
  if (!isRecord(value)) throw wrongField(path === '' ? 'the manifest' : path, value, 'an object')
  const get = (field: string): unknown => (Object.hasOwn(value, field) ? value[field] : undefined)

  const read = <Kind>(field: string, wanted: string, is: (found: unknown) => found is Kind): Kind => {
    const found = get(field)
    if (!is(found)) throw wrongField(pathOf(field), found, wanted)
    return found
  }
  const array = (field: string, countMin: number, countMax: number): unknown[] => {
    const found = read(field, 'an array', (one): one is unknown[] => Array.isArray(one))
    if (found.length < countMin || found.length > countMax)
      throw wrongField(pathOf(field), `${found.length} elements`, `${countMin} to ${countMax} elements`)
    return found
  }
  const each = <Kind>(
    field: string,
    found: readonly unknown[],
    wanted: string,
    is: (one: unknown) => one is Kind,
  ): Kind[] =>
    found.map((one, i) => {
      if (!is(one)) throw wrongField(`${pathOf(field)}[${i}]`, one, wanted)
      return one
    })

  return {
    isNull: (field) => get(field) === null,
    string: (field) => read(field, 'a string', isString),
    oneOf: (field, choices) =>
      read(field, choices.join(' or '), (one): one is (typeof choices)[number] =>
        choices.some((choice) => choice === one),
      ),
    sha256: (field) =>
      read(
        field,
        '64 lower-case hexadecimal digits',
        (one): one is string => isString(one) && /^[0-9a-f]{64}$/.test(one),
      ),
    number: (field) => read(field, 'a finite number', isNumber),
    float32: (field) => Math.fround(read(field, 'a float32', isFloat32)),
    count: (field) => read(field, 'a count', isCount),
    float32s: (field, countMax) => each(field, array(field, 0, countMax), 'a float32', isFloat32).map(Math.fround),
    float32sOrMissing: (field, countMax) => {
      const orMissing = (one: unknown): one is number | null => one === null || isFloat32(one)
      const found = each(field, array(field, 0, countMax), 'a float32 or null', orMissing)
      return Float32Array.from(found, (one) => one ?? Number.NaN)
    },
    counts: (field, countMax) => each(field, array(field, 0, countMax), 'a count', isCount),
    numbersByName: (field) => {
      const found = read(field, 'an object', isRecord)
      for (const [name, one] of Object.entries(found))
        if (one !== null && !isNumber(one)) throw wrongField(`${pathOf(field)}.${name}`, one, 'a finite number or null')
      return { ...found } as Record<string, number | null>
    },
    object: (field) => fieldReader(get(field), pathOf(field)),
    objects: (field, countMin, countMax) =>
      array(field, countMin, countMax).map((one, i) => fieldReader(one, `${pathOf(field)}[${i}]`)),
    wrong: (field, wanted) => wrongField(pathOf(field), get(field), wanted),
  }
}

function wrongField(field: string, found: unknown, wanted: string): ModelPackageError {
  const printed = found === undefined ? 'nothing' : (JSON.stringify(found) ?? String(found)).slice(0, 60)
  const name = field.slice(0, 120)
  return new ModelPackageError('manifest-field', `${name}: found ${printed}, wanted ${wanted}`, { field: name })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isFloat32(value: unknown): value is number {
  return isNumber(value) && Number.isFinite(Math.fround(value))
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
