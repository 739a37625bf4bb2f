import { FlinkAnswerError } from './errors.ts'

/**
 * Reads fields out of an answer of Flink and says which one is not as it should be. Fields that nobody reads may be anything,
 * so that a newer release may add some.
 */
export class Answer {
  readonly #value: unknown
  readonly #place: string

  /** @param place For messages: path of the call, then of the field. */
  constructor(value: unknown, place: string) {
    this.#value = value
    this.#place = place
  }

  /** @throws {FlinkAnswerError} When this is no object. */
  field(name: string): Answer {
    const value = this.#value
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#not('an object')
    return new Answer((value as Record<string, unknown>)[name], `${this.#place}.${name}`)
  }

  /** Whether there is a value: neither absent nor `null`. */
  get present(): boolean {
    return this.#value !== undefined && this.#value !== null
  }

  /** This through `read`, or `null` where there is nothing. */
  optional<T>(read: (answer: Answer) => T): T | null {
    return this.present ? read(this) : null
  }

  /** @throws {FlinkAnswerError} When this is no text. */
  text(): string {
    if (typeof this.#value !== 'string') throw this.#not('text')
    return this.#value
  }

  /** @throws {FlinkAnswerError} When this is no finite number. */
  number(): number {
    if (typeof this.#value !== 'number' || !Number.isFinite(this.#value)) throw this.#not('a number')
    return this.#value
  }

  /** @throws {FlinkAnswerError} When this is neither `true` nor `false`. */
  flag(): boolean {
    if (typeof this.#value !== 'boolean') throw this.#not('true or false')
    return this.#value
  }

  /** @throws {FlinkAnswerError} When this is no list. */
  list<T>(read: (answer: Answer) => T): T[] {
    if (!Array.isArray(this.#value)) throw this.#not('a list')
    return this.#value.map((item, index) => read(new Answer(item, `${this.#place}[${index}]`)))
  }

  /** Each own field by its name. @throws {FlinkAnswerError} When this is no object. */
  entries<T>(read: (answer: Answer) => T): Record<string, T> {
    const value = this.#value
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#not('an object')
    return Object.fromEntries(Object.keys(value).map((name) => [name, read(this.field(name))]))
  }

  #not(wanted: string): FlinkAnswerError {
    const found = this.#value === undefined ? 'nothing' : (JSON.stringify(this.#value) ?? 'nothing').slice(0, 80)
    return new FlinkAnswerError(`Flink's answer has ${found} at ${this.#place}, wanted ${wanted}.`, {
      details: { place: this.#place },
    })
  }
}
