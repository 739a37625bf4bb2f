import { writeFileSync } from 'node:fs'
import type { Timeline } from './timeline.ts'

/** Writes a day that was played as a page for people. */
export function writeDayDocument(
  path: string,
  day: {
    /** Real seconds that the day took. */
    readonly seconds: number
    readonly timeline: Timeline
    readonly policies: readonly string[]
    readonly claims: readonly string[]
  },
): void {
  const { seconds, timeline, policies, claims } = day
  writeFileSync(
    path,
    `# A day, as it was told

What really happened on a day of a simulated plant, what was alerted and when, and what the metrics said. Written by

\`\`\`sh
node scripts/proofs/plant-day.ts --seconds ${seconds} --document docs/guide/plant-day.md
\`\`\`

[Watching the model](watching.md) has the story. *Truth* is the simulator's record of what it did to the readings; *alert*, *case* and *status* are what the plant wrote to its topics; *metric* is what \`/metrics\` said, read twice a
second. Truth and alerts stand at their event time: an alert at the end of its window. Cases, status and metrics run on append time, and the day passed in minutes: ten seconds of the watcher look like hours here. So an alert is
minutes behind its machine, and the hours between an alert and its case are not. Another run of the command gives the same truth and the same alerts, and other times of the rest.

| time | what | |
|---|---|---|
${timeline
  .rows()
  .map(({ time, kind, text }) => `| ${time} | ${kind} | ${text} |`)
  .join('\n')}

## With the policy and without

The readings of all ten days folded twice, with people who go and look two hours after a case is opened; precision is the share of cases whose machine was on its way to a failure. One of the false cases is somebody
who shakes a machine for an hour and a half, which no policy can tell from wear; four fork-lifts that pass make a case each where there is none.

${policies.join('\n')}

## What the run held the plant to

${claims.map((claim) => `- ${claim}`).join('\n')}
`,
  )
}
