import type { GuessedProject } from './guess-project.ts'

/** Prints the README of a project. @param guess `null` where there was no sample. */
export function readmeText(name: string, guess: GuessedProject | null): string {
  const input = guess?.sample ?? 'readings.ndjson'
  const origin =
    guess === null
      ? 'It begins as the reference plant: change the channels to what your machines measure.'
      : `It was guessed from \`${guess.sample}\`. Compare units and ranges with the data sheets of the sensors.`
  return `# ${name}

A Millwright project. \`millwright.config.ts\` says what the machines measure and what is made of it. ${origin}

| to | run, in this folder |
|---|---|
| see what the plant makes of a file | \`millwright replay --input ${input} --out out\` |
| run the plant: readings in over HTTP, alerts out, a status page | \`millwright run\` |
| read a file into the running or stopped plant, once | \`millwright ingest --input ${input}\` |

The plant listens on http://127.0.0.1:8420 and keeps its data in \`data/\`.

Features come out of \`replay\` as \`out/device-features.ndjson\`: that is what a model is trained on. When there is one, put its
name under \`model\`.
`
}
