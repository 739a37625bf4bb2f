/**
 * Method: a real Chromium on the page of a plant that runs. It may look up no name and reach nothing but this machine, so what the
 * page would fetch elsewhere shows as a failed request. Where no Chromium is found on the PATH, the tests are skipped.
 */
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { pressLines, pressPackage, writeLines, writeProject } from './command-testing.ts'
import { plantsUntil, type RunningPlant, startSharedPlant } from './plant-testing.ts'

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
async function openPage(
  of: RunningPlant = plant,
  viewport = { width: 1280, height: 800 },
): Promise<{ page: Page; troubles: string[] }> {
  const page = await browser.newPage({ viewport })
  const troubles: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      troubles.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => troubles.push(`threw: ${error.message}`))
  page.on('requestfailed', (request) => troubles.push(`failed: ${request.url()} ${request.failure()?.errorText}`))
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (protocol !== 'data:' && origin !== of.url) troubles.push(`asked elsewhere: ${request.url()}`)
  })
  await page.goto(of.url)
  return { page, troubles }
}

async function send(lines: readonly string[], to: RunningPlant = plant): Promise<void> {
  const headers = { 'content-type': 'application/x-ndjson' }
  const body = `${lines.join('\n')}\n`
  const { status } = await fetch(`${to.url}/api/readings`, { method: 'POST', headers, body })
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
    expect(await page.locator('#channelsSection').isHidden()).toBe(true)
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
    const when = page.getByLabel('When it failed').last()
    await when.fill(localMinute(Date.now() + 2 * 86_400_000))
    await page.getByRole('button', { name: 'Save' }).last().click()
    expect(await when.evaluate('document.activeElement.validity.rangeOverflow')).toBe(true)
    await when.fill(localMinute(Date.now() - 3_600_000))
    await page.getByRole('button', { name: 'Save' }).last().click()
    await page.locator('#missed', { hasText: 'Noted: press-1 failed' }).waitFor()
    // Before the page is closed, which cuts off what it is asking.
    expect(troubles).toEqual([])
    await page.close()
  },
  300_000,
)

/** A peer of a webhook that answers with a status, on a port of its own or a given one. */
async function receiver(status: number, port = 0): Promise<{ port: number; answer: (status: number) => void }> {
  let answered = status
  const server = createServer(
    (request, response) => void request.resume().on('end', () => response.writeHead(answered).end()),
  )
  await once(server.listen(port, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const answer = (next: number): void => {
    answered = next
  }
  return { port: (server.address() as AddressInfo).port, answer }
}

test.skipIf(browserPath === null)(
  'channels of notifications say how they do; those that are down or refused are tried again with the keyboard, on a narrow screen',
  async () => {
    const [up, refusing, closed] = [await receiver(204), await receiver(400), createServer()]
    await once(closed.listen(0, '127.0.0.1'), 'listening')
    const { port: downPort } = closed.address() as AddressInfo
    closed.close()
    const channel = (name: string, port: number): string =>
      `{ kind: 'webhook', name: '${name}', url: 'http://127.0.0.1:${port}/', secretEnv: 'SECRET', maxAge: '3660 d' }`
    const channels = [channel('shift', up.port), channel('andon', downPort), channel('tickets', refusing.port)]
    const project = writeProject(join(folder, 'telling'), `notify: [${channels.join(', ')}],`)
    writeFileSync(join(project, 'model.mwmodel'), pressPackage('1'))
    vi.stubEnv('SECRET', 'a secret of some length')
    onTestFinished(() => void vi.unstubAllEnvs())
    const telling = await plantsUntil(onTestFinished)(project, '--data', join(folder, 'telling-data'))
    await send(pressLines(0, 3), telling)
    const { page, troubles } = await openPage(telling, { width: 360, height: 800 })
    page.setDefaultTimeout(90_000)
    const row = (name: string): Locator => page.locator('#channels > li', { hasText: name })
    await row('tickets').locator('.state', { hasText: 'up, refused some' }).waitFor()
    await row('tickets').locator('summary', { hasText: '1 refused for good, and kept' }).click()
    expect(await row('tickets').locator('ol').textContent()).toMatch(/press-2@\d+#0.*answered 400/)
    await row('shift').locator('.facts', { hasText: 'nothing waits; last delivered' }).waitFor()
    expect(await row('shift').getAttribute('class')).toBe('good')
    expect(await row('shift').getByRole('button').count()).toBe(0)
    await row('andon')
      .locator('.why', { hasText: /ECONNREFUSED.*(tried again at|being tried now)/ })
      .waitFor()
    await row('andon').locator('.facts', { hasText: '1 waits, the oldest for' }).waitFor()
    await page.locator('#channelsNote', { hasText: '1 of 3 does not work. Nothing is lost' }).waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    refusing.answer(204)
    await row('tickets').getByRole('button', { name: 'Send them again: tickets' }).focus()
    await page.keyboard.press('Enter')
    await row('tickets').locator('p', { hasText: '1 are being sent again.' }).waitFor()
    await row('tickets').locator('.state', { hasText: /^up$/ }).waitFor()
    expect(await row('tickets').locator('details').isHidden()).toBe(true)
    await receiver(204, downPort)
    await row('andon').getByRole('button', { name: 'Try now: andon' }).focus()
    await page.keyboard.press('Enter')
    await row('andon').locator('.facts', { hasText: 'nothing waits; last delivered' }).waitFor()
    await page.locator('#channelsNote', { hasText: 'What a channel does not take waits for it.' }).waitFor()
    expect(troubles).toEqual([])
    await page.close()
  },
  300_000,
)

/** A time as a field for one has it, in the zone of this machine, which is the browser's. */
function localMinute(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

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
