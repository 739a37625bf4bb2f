import { mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuSecondsOf, statusBytes, table } from './measure.ts'
import { peersInput, referenceProject } from './peers.ts'
import { processed, startPlant } from './plant-process.ts'

/** Readings per request. About 0.9 MB: what a gateway of a line sends after a break. */
const requestLines = 8000

/**
 * Durable ingest: HTTP requests → decoded at the door → fsynced log → operators → outputs. The client runs beside the
 * plant on the same machine, with a few requests in flight; only the plant's CPU time counts.
 */
export async function benchIngest(lineCount: number): Promise<string> {
  const requests = requestBodies(peersInput(lineCount))
  const folder = mkdtempSync(join(tmpdir(), 'millwright-bench-data-'))
  const rows: string[][] = []
  try {
    for (const inFlight of [1, 4]) {
      const plant = await startPlant({
        project: referenceProject,
        dataDirectory: join(folder, `data-${inFlight}`),
      })
      const cpuBefore = cpuSecondsOf(plant.pid)
      const startedMs = performance.now()
      let next = 0
      let accepted = 0
      let refused = 0
      const client = async (): Promise<void> => {
        for (let body = requests[next++]; body !== undefined; body = requests[next++]) {
          const answer = await fetch(`${plant.url}/api/readings`, {
            method: 'POST',
            headers: { 'content-type': 'application/x-ndjson' },
            body,
          })
          if (answer.status !== 202) throw new Error(`the plant answered ${answer.status}: ${await answer.text()}`)
          const said = (await answer.json()) as { accepted: number; rejected: unknown[] }
          accepted += said.accepted
          refused += said.rejected.length
        }
      }
      await Promise.all(Array.from({ length: inFlight }, client))
      const acknowledgedSeconds = (performance.now() - startedMs) / 1000
      await processed(plant.url, lineCount)
      const seconds = (performance.now() - startedMs) / 1000
      const cpu = cpuSecondsOf(plant.pid) - cpuBefore
      const rss = statusBytes(plant.pid, 'VmHWM')
      if (accepted + refused !== lineCount) throw new Error(`of ${lineCount} lines ${accepted + refused} were answered for`)
      await plant.stop()
      rows.push([
        String(inFlight),
        (accepted / acknowledgedSeconds / 1e6).toFixed(2),
        (lineCount / seconds / 1e6).toFixed(2),
        cpu.toFixed(2),
        (lineCount / cpu / 1e6).toFixed(2),
        (rss / 1e6).toFixed(0),
      ])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return table(
    [`durable ingest over HTTP, ${lineCount / 1e6} M lines: requests in flight`, 'M acknowledged/s', 'M processed/s', 'CPU s of the plant', 'M readings per CPU s', 'peak RSS MB'],
    rows,
  )
}

/** Cuts a file into bodies of whole lines. */
function requestBodies(path: string): Buffer<ArrayBuffer>[] {
  const file = openSync(path, 'r')
  const bodies: Buffer<ArrayBuffer>[] = []
  const chunk = Buffer.alloc(4 << 20)
  let rest = Buffer.alloc(0)
  for (;;) {
    const length = readSync(file, chunk)
    if (length === 0) break
    rest = Buffer.concat([rest, chunk.subarray(0, length)])
    let start = 0
    let lines = 0
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, end + 1)) {
      lines += 1
      if (lines % requestLines !== 0) continue
      bodies.push(Buffer.from(rest.subarray(start, end + 1)))
      start = end + 1
    }
    rest = rest.subarray(start)
  }
  if (rest.length > 0) bodies.push(rest)
  return bodies
}
