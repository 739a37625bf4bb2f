/** Where in nested values a reader stands: the names and indices from the outermost value inwards. */
export class Place {
  #steps: (string | number)[] = []

  /** Containers being read. */
  get depth(): number {
    return this.#steps.length
  }

  enter(): void {
    this.#steps.push('')
  }

  leave(): void {
    this.#steps.pop()
  }

  setField(name: string): void {
    this.#steps[this.#steps.length - 1] = name
  }

  setIndex(index: number): void {
    this.#steps[this.#steps.length - 1] = index
  }

  /** Returns a function that puts back what is the place now. */
  save(): () => void {
    const steps = [...this.#steps]
    return () => {
      this.#steps = [...steps]
    }
  }

  /** For example `learner.gradient_booster.model.trees[3]`; '' for the outermost value. Long names are cut. */
  toString(): string {
    let path = ''
    for (const step of this.#steps) {
      if (typeof step === 'number') path += `[${step}]`
      else if (step !== '') path += (path === '' ? '' : '.') + step.slice(0, nameLengthMax)
    }
    return path
  }
}

/** A hostile file may call a field anything; a message stays readable. */
const nameLengthMax = 60
