/**
 * Method: a real Chromium on the page of a plant that runs. It may look up no name and reach nothing but this machine, so what the
 * page would fetch elsewhere shows as a failed request. Where no Chromium is found on the PATH, the tests are skipped.
 */
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pressLines, pressPackage, writeLines, writeProject } from './command-testing.ts'
import { type RunningPlant, startSharedPlant } from './plant-testing.ts'

const browserPath = onPath('chromium', 'chromium-browser', 'google-chrome')
if (browserPath === null) process.stdout.write('skipped: the status page in a browser, as no Chromium is on the PATH\n')

const folder = mkdtempSync(join(tmpdir(), 'millwright-browser-'))
let browser: Browser
let plant: RunningPlant

beforeAll(async () => {
  if (browserPath === null) return
  const project = writeProject(join(folder, 'project'))
  writeFileSync(join(project, 'model.mwmodel'), pressPackage('1'))
  const input = writeLines(join(folder, 'readings.ndjson'), pressLines(0, 3))
  plant = await startSharedPlant(project, '--data', join(folder, 'data'), '--input', input)
  browser = await chromium.launch({
    executablePath: browserPath,
    args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  })
})

afterAll(async () => {
  await browser?.close()
  await plant?.stop()
  rmSync(folder, { recursive: true })
})

/** A page, with everything on it that should not be: errors, warnings, requests that go elsewhere or fail. */
async function openPage(): Promise<{ page: Page; troubles: string[] }> {
  const page = await browser.newPage()
  const troubles: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      troubles.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => troubles.push(`threw: ${error.message}`))
  page.on('requestfailed', (request) => troubles.push(`failed: ${request.url()} ${request.failure()?.errorText}`))
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (protocol !== 'data:' && origin !== plant.url) troubles.push(`asked elsewhere: ${request.url()}`)
  })
  await page.goto(plant.url)
  return { page, troubles }
}

async function send(lines: readonly string[]): Promise<void> {
  const headers = { 'content-type': 'application/x-ndjson' }
  const body = `${lines.join('\n')}\n`
  const { status } = await fetch(`${plant.url}/api/readings`, { method: 'POST', headers, body })
  expect(status).toBe(202)
}

test.skipIf(browserPath === null)(
  'the status page shows what the plant has done, and alerts as they come, with no error and no other host',
  async () => {
    const { page, troubles } = await openPage()
    const alerts = page.locator('#alerts > li')
    await page.locator('#link.live').waitFor()
    expect(await page.title()).toContain('press-shop')
    await page.locator('#model', { hasText: 'press 1' }).waitFor()
    await page.locator('#readings', { hasText: /^36$/ }).waitFor()
    await expect.poll(() => alerts.count()).toBe(1)
    expect(await alerts.first().textContent()).toContain('press-2')
    expect(await page.locator('#disk').textContent()).not.toContain(' 0 B')
    // The polls of the page are held back: what comes now comes by the stream.
    await page.route('**/api/status', () => undefined)
    await send(pressLines(3, 5))
    await expect.poll(() => alerts.count()).toBe(2)
    expect(await alerts.first().textContent()).toContain('press-2')
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    expect(troubles).toEqual([])
    await page.close()
  },
)

test.skipIf(browserPath === null)('the status page tells that the plant is gone', async () => {
  const { page } = await openPage()
  await page.locator('#link.live').waitFor()
  await page.route('**/api/**', (route) => route.abort())
  await page.locator('#link.lost', { hasText: 'no answer since' }).waitFor()
  await page.close()
})

test.skipIf(browserPath === null)('the page runs no script but its own', async () => {
  const { page, troubles } = await openPage()
  await page.locator('#link.live').waitFor()
  // As text: this file is compiled for Node, which has no document.
  await page.evaluate(`
    const script = document.createElement('script')
    script.textContent = 'document.title = "taken over"'
    document.body.append(script)
  `)
  expect(await page.title()).not.toBe('taken over')
  expect(troubles.join('\n')).toContain('Content Security Policy')
  await page.close()
})

test.skipIf(browserPath === null)(
  'a case is answered with the keyboard alone, the answer is undone, and given again with what was found',
  async () => {
    const { page, troubles } = await openPage()
    page.setDefaultTimeout(90_000)
    const open = page.locator('#cases > li')
    await open.first().waitFor()
    expect(await open.count()).toBe(1)
    expect(await open.first().textContent()).toContain('press-2')
    expect(await open.first().locator('.chart polyline').count()).toBe(1)
    await open.first().getByRole('button', { name: 'It was not' }).focus()
    await page.keyboard.press('Enter')
    const undo = page.getByRole('button', { name: 'Undo the answer on press-2' })
    await undo.waitFor()
    await page.locator('#noCases', { hasText: 'No machine wants attention' }).waitFor()
    expect(await page.locator('#answers').textContent()).toContain('it was not')
    await undo.focus()
    await page.keyboard.press('Enter')
    await open.first().waitFor()
    await open.first().locator('summary').click()
    await open.first().locator('.channels polyline').nth(1).waitFor()
    await open.first().locator('.history', { hasText: 'reopened' }).waitFor()
    await page.locator('#person').fill('Jo')
    await open.first().getByRole('button', { name: 'It was real' }).click()
    await page.keyboard.type('bearing worn')
    await page.keyboard.press('Enter')
    await page.locator('#answers', { hasText: 'it was real: bearing worn' }).waitFor()
    await page.getByRole('button', { name: 'One broke, and you said nothing' }).click()
    await page.getByLabel('Machine').fill('press-1')
    await page.getByLabel('When it failed').last().fill('2026-01-05T00:01')
    await page.getByRole('button', { name: 'Save' }).last().click()
    await page.locator('#missed', { hasText: 'Noted: press-1 failed' }).waitFor()
    // Before the page is closed, which cuts off what it is asking.
    expect(troubles).toEqual([])
    await page.close()
  },
  300_000,
)

/** The first of these programs that is on the PATH; `null` where none is. */
function onPath(...names: readonly string[]): string | null {
  for (const name of names)
    for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
      const path = join(directory, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // The next one.
      }
    }
  return null
}
