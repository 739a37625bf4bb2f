/**
 * Yields what several sources give, as it comes, each one's in its order. A source is asked for the next when the one before was taken, and may be silent
 * for ever while others are not: waiting for it costs nothing more however much they give.
 *
 * Ends when all have; closes them when it is left.
 *
 * @param leave Called before they are closed: one that was asked closes only when it answers, and is to answer now.
 * @throws What a source throws.
 */
export async function* asTheyCome<T>(
  sources: readonly AsyncGenerator<T, void>[],
  leave: () => void,
): AsyncGenerator<T, void> {
  const came: Came<T>[] = []
  let wake = (): void => undefined
  const put = (each: Came<T>): void => {
    came.push(each)
    wake()
  }
  // Not Promise.race over what is asked: each call leaves a reaction with every promise that is not settled.
  const ask = (source: AsyncGenerator<T, void>): void => {
    source.next().then(
      (result) => put({ kind: 'result', source, result }),
      (error: unknown) => put({ kind: 'error', error }),
    )
  }
  let open = sources.length
  try {
    for (const source of sources) ask(source)
    while (open > 0) {
      const first = came.shift()
      if (first === undefined) await new Promise<void>((resolve) => (wake = resolve))
      else if (first.kind === 'error') throw first.error
      else if (first.result.done === true) open -= 1
      else {
        yield first.result.value
        ask(first.source)
      }
    }
  } finally {
    leave()
    await Promise.all(sources.map((source) => source.return()))
  }
}

type Came<T> =
  | { readonly kind: 'result'; readonly source: AsyncGenerator<T, void>; readonly result: IteratorResult<T, void> }
  | { readonly kind: 'error'; readonly error: unknown }
