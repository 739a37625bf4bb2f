import type { ModelName } from '@millwright/core'

/** Names model versions in maps. Most records are of the version of the one before, whose key is at hand. */
export class ModelKeys {
  #name = ''
  #version = ''
  #key = ''

  of({ name, version }: ModelName): string {
    if (name !== this.#name || version !== this.#version || this.#key === '') {
      this.#name = name
      this.#version = version
      this.#key = JSON.stringify([name, version])
    }
    return this.#key
  }
}
